"""Where an API is and where each of its operations is (docs/servers.md, ADR 16).

The operator's word, `base_url`, comes before the description's; a description's never reaches
further into the operator's network than the API itself does.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from gateway.openapi import Description, Operation, Problem, absolute_server, quoted
from gateway.upstreams import AddressScope, OperationKey, literal_address, split_base_url

# Stands for the unknown place of a description from a file: RFC 6761 section 6.4.
_NOWHERE = "http://description.invalid/"

Servers = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """`base_url` is the API's, None where nothing says it.

    `elsewhere` has those operations that are at another base URL.
    """

    base_url: str | None
    elsewhere: Mapping[OperationKey, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement(Places):
    """`description` with the operations that have a place, and problems for what is special."""

    description: Description


def place_operations(
    description: Description, *, base_url: str | None, location: str | None
) -> Placement:
    """Choose one server for the API and for each operation.

    `base_url` is the operator's; `location` the URL of the description, None for a file.
    """
    base = base_url or _base_url(description, location)
    if base is None:
        problems = (*description.problems, *_refused_servers(description, location))
        nowhere = replace(description, problems=problems)
        return Placement(description=nowhere, base_url=None, elsewhere={})
    own = {operation.servers for operation in description.operations}
    if own <= {None}:
        return Placement(description=description, base_url=base, elsewhere={})
    choice = _choice(description, base_url, base, location)
    chosen = {servers: choice(servers) for servers in own}
    moved = {s for s, place in chosen.items() if place.url and not _is_same(place.url, base)}
    places = [(operation, chosen[operation.servers]) for operation in description.operations]
    told = (_problem(description.api, o, place) for o, place in places if place.message)
    changed = replace(
        description,
        operations=tuple(o for o, place in places if place.url is not None),
        problems=(*description.problems, *told),
    )
    elsewhere = {
        (o.method, o.path): place.url
        for o, place in places
        if place.url is not None and o.servers in moved
    }
    return Placement(description=changed, base_url=base, elsewhere=elsewhere)


def _choice(
    description: Description, base_url: str | None, base: str, location: str | None
) -> "Callable[[Servers | None], _Chosen]":
    own = _Operators(description, base_url, location) if base_url else _Described(base, location)
    return lambda servers: _Chosen(url=base) if servers is None else own.choose(servers)


def _refused_servers(description: Description, location: str | None) -> Iterator[Problem]:
    """What a description without a place names all the same, where nobody may send it calls."""
    for url in _usable(description.servers, location)[:1]:
        yield Problem(
            api=description.api,
            pointer="/host" if "host" in description.document.root else "/servers",
            severity="error",
            message=f"{quoted(_origin(url))} {_REFUSED}; without base_url nothing can be called",
        )


def _problem(api: str, operation: Operation, place: "_Chosen") -> Problem:
    severity, skipped = ("warning", "") if place.url else ("error", " skipped")
    text = f"{operation.method} {operation.path}{skipped}: {place.message}"
    return Problem(api=api, pointer=operation.pointer, severity=severity, message=text)


def described_scope(base: str, location: str | None) -> AddressScope:
    """Where names may lead at the base URL that a description from `location` chose."""
    if location is None or _is_private(location):
        return AddressScope.NEAR
    same = _origin(base) == _origin(location)
    return AddressScope.NEAR if same else AddressScope.PUBLIC


def _base_url(description: Description, location: str | None) -> str | None:
    """The first usable server of the description, else the place that all operations share."""
    own = _first(description.servers, location)
    if own is not None:
        return own
    servers = {operation.servers for operation in description.operations}
    places = {_first(urls or (), location) for urls in servers}
    found = {url for url in places if url is not None}
    if len({_origin(url) for url in found}) != 1 or None in places:
        return None
    return found.pop() if len(found) == 1 else _origin(found.pop())


def _first(servers: Servers, location: str | None) -> str | None:
    """The first server that a description from `location` may name for its API."""
    for url in _usable(servers, location):
        if described_scope(url, location).admits_host(_host(url)):
            return url
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """`url` None: no place. `message` says what a reader should know."""

    url: str | None
    message: str = ""


class _Described:
    """Without `base_url`: an operation goes where its servers say, within the API's own reach."""

    def __init__(self, base: str, location: str | None) -> None:
        self.origin = _origin(base)
        self.home = location or f"{self.origin}/"
        self.scope = AddressScope.NEAR if _is_private(base) else AddressScope.PUBLIC

    def choose(self, servers: Servers) -> _Chosen:
        usable = _usable(servers, self.home)
        if own := [url for url in usable if _origin(url) == self.origin]:
            return _Chosen(url=own[0])
        for url in usable:
            if self.scope.admits_host(_host(url)):
                return _Chosen(url=url, message=f"{quoted(_origin(url))} {_BARE}")
        if usable:
            return _Chosen(url=None, message=f"{quoted(_origin(usable[0]))} {_REFUSED}; {_REMEDY}")
        return _Chosen(url=None, message=f"none of its servers is usable; {_REMEDY}")


_BARE = "is another origin: no headers and credentials of the API go there, and /apis neither"
_REFUSED = "is no address that a description may name"
_REMEDY = "an API entry of its own can reach it by base_url"


class _Operators:
    """With `base_url`: everything stays at its origin, on the path that the servers suggest."""

    def __init__(self, description: Description, base_url: str, location: str | None) -> None:
        self.base = base_url
        self.origin, self.path = split_base_url(base_url)
        home = location or _NOWHERE
        self.described = next(iter(_usable(description.servers, home)), None)
        self.home = location or f"{_origin(self.described or _NOWHERE)}/"

    def choose(self, servers: Servers) -> _Chosen:
        usable = _usable(servers, self.home)
        for url in usable:
            path = self._path(url)
            if path is not None:
                return _Chosen(url=self.origin + path)
        named = f" {quoted(servers[0])}" if servers else ""
        return _Chosen(url=self.base, message=f"base_url is used, not its own server{named}")

    def _path(self, url: str) -> str | None:
        """Where below our origin that server is; None where nothing says so."""
        origin, path = split_base_url(url)
        if self.described is not None:
            described_origin, described = split_base_url(self.described)
            if origin == described_origin:
                return _moved(path, described, self.path)
        return path if origin == self.origin else None


def _moved(path: str, described: str, ours: str) -> str | None:
    """`path`, as it is beside the description's own base path, beside ours."""
    if path == described or path.startswith(f"{described}/"):
        return ours + path[len(described) :]
    if ours.endswith(described):
        return ours.removesuffix(described) + path
    return None


def _usable(servers: Servers, home: str | None) -> list[str]:
    absolute = (absolute_server(url, home=home) for url in servers)
    return [url for url in absolute if url is not None]


def _is_same(url: str, other: str) -> bool:
    return split_base_url(url) == split_base_url(other)


def _origin(url: str) -> str:
    return split_base_url(url)[0]


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _is_private(url: str) -> bool:
    """Whether the host is written as an address of this machine or of a private network."""
    address = literal_address(_host(url))
    return address is not None and not AddressScope.PUBLIC.admits(address)
