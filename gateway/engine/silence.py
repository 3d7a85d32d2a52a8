"""Telemetry for a gateway that nobody watches: one-shot commands, and tests of other things."""

from types import TracebackType
from typing import Final, Self

from gateway.context import CalledOperation
from gateway.errors import GatewayError
from gateway.interfaces import Way


class _Silence:
    """Both the Telemetry and each CallWatch of it."""

    def watching(self, _: Way) -> Self:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def about(self, operation: CalledOperation) -> None:
        return None

    def answered(self, status: int) -> None:
        return None

    def failed(self, error: GatewayError) -> None:
        return None

    def rejected(self, reasons: tuple[str, ...]) -> None:
        return None

    def found_invalid(self, operation: CalledOperation, direction: str, mode: str) -> None:
        return None


NO_TELEMETRY: Final = _Silence()
