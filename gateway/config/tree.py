"""The configuration while it is gathered: plain values, where each came from, and the faults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from gateway.config.secret import read_secret
from gateway.errors import ConfigError

Keys = tuple[str | int, ...]
"""A place in the configuration: `("apis", 0, "base_url")`."""


class Source(IntEnum):
    """In rising precedence."""

    FILE = 0
    ENVIRONMENT = 1
    FLAG = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """`label` is the file's, variable's or flag's name; `line` counts from 1, 0 has no line."""

    source: Source
    label: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.label}:{self.line}" if self.line else self.label


@dataclass(slots=True)
class Tree:
    """Values by key, with an origin for each place that somebody wrote."""

    file: Origin
    root: dict[str, object] = field(default_factory=dict)
    origins: dict[Keys, Origin] = field(default_factory=dict)
    _faults: list[tuple[Origin, str]] = field(default_factory=list)

    def origin(self, keys: Keys) -> Origin:
        """Where `keys`, or the nearest place around it, was written."""
        for size in range(len(keys), -1, -1):
            found = self.origins.get(keys[:size])
            if found is not None:
                return found
        return self.file

    def at(self, *keys: str | int) -> object:
        """The value at `keys`; None where there is none."""
        place: object = self.root
        for key in keys:
            if isinstance(place, dict):
                place = place.get(key)
            elif isinstance(place, list) and isinstance(key, int) and key < len(place):
                place = place[key]
            else:
                return None
        return place

    def text(self, *keys: str | int) -> str | None:
        """The text at `keys`; None where there is none, or something else, which is a fault."""
        value = self.at(*keys)
        return value if isinstance(value, str) else None

    def size(self, *keys: str | int) -> int:
        """How many items the list at `keys` has."""
        value = self.at(*keys)
        return len(value) if isinstance(value, list) else 0

    def put(self, keys: Keys, value: object, origin: Origin) -> None:
        """Writes `value` at `keys`, making the mappings on the way, unless a better source did.

        What stands in the way with another type is left alone; the schema reports it.
        """
        standing = self.origins.get(keys)
        if standing is not None and standing.source > origin.source:
            return
        place: object = self.root
        for size, key in enumerate(keys[:-1], start=1):
            place = self._enter(place, key, keys[:size], origin)
        last = keys[-1]
        if isinstance(place, dict):
            place[last] = value
            self.origins[keys] = origin

    def _enter(self, place: object, key: str | int, keys: Keys, origin: Origin) -> object:
        if isinstance(place, list) and isinstance(key, int):
            return place[key]
        if not isinstance(place, dict):
            return None
        if place.get(key) is None:
            place[key] = {}
            self.origins[keys] = origin
        return place[key]

    def fault(self, keys: Keys, message: str) -> None:
        where = dotted(keys)
        self.fault_at(self.origin(keys), f"{where}: {message}" if where else message)

    def judge(self, keys: Keys, fault: str | None) -> None:
        """A fault for what one of the `*_fault` functions has found."""
        if fault is not None:
            self.fault(keys, fault)

    def fault_at(self, origin: Origin, message: str) -> None:
        self._faults.append((origin, message))

    @property
    def has_faults(self) -> bool:
        return bool(self._faults)

    def raise_faults(self) -> None:
        """Raises ConfigError with every fault so far: the file's by line, then the others."""
        ordered = sorted(self._faults, key=lambda fault: (fault[0].source, fault[0].line))
        lines = dict.fromkeys(f"{origin}: {message}" for origin, message in ordered)
        if lines:
            raise ConfigError(*lines)


def dotted(keys: Keys) -> str:
    """`apis[0].base_url`; what a line of text cannot hold is escaped."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    text = text.removeprefix(".")
    return text if text.isprintable() else text.encode("unicode_escape").decode()


def revealed(tree: Tree, keys: Keys, text: str, environ: Mapping[str, str]) -> str | None:
    """What a secret reference leads to; None, and a fault, where that is nothing."""
    try:
        return read_secret(text, environ).reveal()
    except ConfigError as error:
        tree.fault(keys, str(error))
        return None
