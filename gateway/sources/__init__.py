"""Where descriptions come from."""

from gateway.sources.copies import LastGood
from gateway.sources.loading import is_url, parse, shown
from gateway.sources.source import Snapshot, Source
from gateway.sources.watching import FileWatch

__all__ = [
    "FileWatch",
    "LastGood",
    "Snapshot",
    "Source",
    "is_url",
    "parse",
    "shown",
]
