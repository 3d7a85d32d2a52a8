"""Where descriptions come from."""

from gateway.sources.copies import LastGood
from gateway.sources.loading import is_url, parse, shown
from gateway.sources.positions import Position, locate
from gateway.sources.source import Source
from gateway.sources.texts import Opened, Snapshot, Texts
from gateway.sources.watching import FileWatch

__all__ = [
    "FileWatch",
    "LastGood",
    "Opened",
    "Position",
    "Snapshot",
    "Source",
    "Texts",
    "is_url",
    "locate",
    "parse",
    "shown",
]
