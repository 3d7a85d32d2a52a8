"""Label values: configured names and small closed sets, never what a caller has made up."""

from http import HTTPStatus
from typing import Final

SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Bounds of the histograms of exchanges: from an API on the same machine to the usual time-out."""
METHODS: Final = frozenset(
    {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE", "-"}
)
_STATUSES: Final = {int(status): str(int(status)) for status in HTTPStatus}


def method_label(method: str) -> str:
    return method if method in METHODS else "other"


def status_label(status: int | None) -> str:
    """A registered status as it is, another one by its class, `-` for none."""
    if status is None:
        return "-"
    return _STATUSES.get(status) or f"{status // 100}xx"
