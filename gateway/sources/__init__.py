"""Where descriptions come from."""

from gateway.sources.copies import LastGood
from gateway.sources.duplicates import find_duplicate_keys
from gateway.sources.list_files import ListFiles
from gateway.sources.loading import is_url, parse, shown
from gateway.sources.positions import Position, locate
from gateway.sources.prepared import Prepared, PreparedFile
from gateway.sources.source import Seen, Source
from gateway.sources.texts import Opened, Snapshot, Texts
from gateway.sources.watching import FileWatch

__all__ = [
    "FileWatch",
    "LastGood",
    "ListFiles",
    "Opened",
    "Position",
    "Prepared",
    "PreparedFile",
    "Seen",
    "Snapshot",
    "Source",
    "Texts",
    "find_duplicate_keys",
    "is_url",
    "locate",
    "parse",
    "shown",
]
