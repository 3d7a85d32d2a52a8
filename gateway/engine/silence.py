"""Telemetry for a gateway that nobody watches: one-shot commands, and tests of other things."""

from types import TracebackType
from typing import Final, Self

from gateway.context import CalledOperation
from gateway.errors import GatewayError
from gateway.interfaces import Way


class _Silence:
    """Both the Telemetry and every CallWatch of it."""

    def watching(self, _way: Way, _rejects: tuple[str, ...], /) -> Self:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        return None

    def about(self, _operation: CalledOperation, /) -> None:
        return None

    def answered(self, _status: int, /) -> None:
        return None

    def failed(self, _error: GatewayError, /) -> None:
        return None

    def found_invalid(self, _operation: CalledOperation, _direction: str, _mode: str, /) -> None:
        return None


NO_TELEMETRY: Final = _Silence()
