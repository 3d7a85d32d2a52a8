"""What became of the latest changes that this process has handed to a store.

A change is handed over again by nobody but the process that made it: after an answer that was
lost, or when its caller had gone. A record names too few changes to recognise it however late.
"""

from collections import OrderedDict
from collections.abc import Iterable

MAX_REMEMBERED = 8192


class Remembered:
    """Versions by operation id, the latest MAX_REMEMBERED of them."""

    def __init__(self) -> None:
        self._versions: OrderedDict[str, int] = OrderedDict()

    def __contains__(self, operation_id: str) -> bool:
        return operation_id in self._versions

    def version(self, operation_id: str) -> int | None:
        """None: nothing is remembered of this one."""
        return self._versions.get(operation_id)

    def add(self, operation_ids: Iterable[str], version: int = 0) -> None:
        for operation_id in operation_ids:
            self._versions[operation_id] = version
            if len(self._versions) > MAX_REMEMBERED:
                self._versions.popitem(last=False)

    def forget(self, operation_id: str) -> None:
        self._versions.pop(operation_id, None)
