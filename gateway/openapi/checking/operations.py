"""What a meta-schema cannot say about paths and operations: names, parameters, bodies."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from gateway.openapi.checking.extensions import check_operation
from gateway.openapi.checking.vocabulary import METHODS
from gateway.openapi.checking.walking import Spot, pointer_of
from gateway.openapi.document import Document, Node, UnresolvedRef, base_of, join, quoted
from gateway.openapi.findings import Code, Finding, finding
from gateway.openapi.parameters import PLACEHOLDER

Key = tuple[str, str]
Parameters = dict[Key, str]
"""Pointers of the places where parameters are listed, by location and name."""


def check_paths(document: Document) -> Iterator[Finding]:
    """Templates that match the same requests, and the parameters of every operation."""
    paths = document.root.get("paths")
    if not isinstance(paths, Mapping):
        return
    first: dict[str, str] = {}
    # Parameters by the document that a reference stands in and the reference, as it is written.
    known: dict[tuple[str, str], Mapping[str, object] | None] = {}
    for path, item in paths.items():
        if not str(path).startswith("/"):
            continue
        template = PLACEHOLDER.sub("{}", str(path))
        twin = first.setdefault(template, str(path))
        at = join("/paths", str(path))
        if twin != path:
            yield finding(Code.PATH_TWIN, at, f"matches the same requests as {twin}")
        yield from _PathItem(document, known, str(path), Node(value=item, pointer=at)).check()


@dataclass(slots=True)
class _PathItem:
    """One path. What its shared parameters lack is said once, not once for each operation."""

    document: Document
    known: dict[tuple[str, str], Mapping[str, object] | None]
    path: str
    node: Node
    names: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.names = frozenset(PLACEHOLDER.findall(self.path))

    def check(self) -> Iterator[Finding]:
        node = self._followed(self.node)
        if node is None or not isinstance(node.value, dict):
            return
        shared: Parameters = {}
        yield from self._read(node.child("parameters"), shared)
        for method in METHODS:
            found = node.child(method) if method in node.value else None
            operation = self._followed(found) if found is not None else None
            if operation is None or not isinstance(operation.value, dict):
                continue
            own: Parameters = {}
            yield from self._read(operation.child("parameters"), own)
            parameters = shared | own
            yield from self._undeclared(parameters, operation)
            yield from _bodies(parameters)
            yield from check_operation(self.document, operation)

    def _read(self, node: Node | None, into: Parameters) -> Iterator[Finding]:
        """The parameters of one list, references followed."""
        if node is None or not isinstance(node.value, list):
            return
        for index, value in enumerate(node.value):
            at = f"{node.pointer}/{index}"
            raw = self._parameter(value, at)
            if raw is None:
                continue
            key = _key(raw)
            if key in into:
                text = f"the {key[0]} parameter {key[1]} stands twice in this list"
                yield finding(Code.PARAMETER_DUPLICATE, at, text)
            into[key] = at
            if key[0] == "path":
                yield from self._path_parameter(raw, key[1], at)

    def _parameter(self, value: object, at: str) -> Mapping[str, object] | None:
        if not isinstance(value, dict):
            return None
        if not isinstance(ref := value.get("$ref"), str):
            return value
        key = base_of(at), ref
        if key not in self.known:
            target = self._followed(Node(value=value, pointer=at))
            found = target.value if target is not None else None
            self.known[key] = found if isinstance(found, dict) else None
        return self.known[key]

    def _path_parameter(self, raw: Mapping[str, object], name: str, at: str) -> Iterator[Finding]:
        if name not in self.names:
            text = f"{quoted(name)} is not in the path"
            yield finding(Code.PATH_PARAMETER_UNUSED, at, text)
        if raw.get("required") is not True:
            text = f"the path parameter {name} needs `required: true`"
            yield finding(Code.PATH_PARAMETER_OPTIONAL, at, text)

    def _undeclared(self, parameters: Parameters, operation: Node) -> Iterator[Finding]:
        for name in sorted(self.names):
            if ("path", name) not in parameters:
                text = f"the path's {quoted(name)} is not declared"
                yield finding(Code.PATH_PARAMETER_UNDECLARED, operation.pointer, text)

    def _followed(self, node: Node) -> Node | None:
        try:
            return self.document.follow(node)
        except UnresolvedRef:
            return None  # said where references are checked


def _key(raw: Mapping[str, object]) -> Key:
    """What tells parameters apart; header names are compared without case (RFC 9110 5.1)."""
    location, name = str(raw.get("in")), str(raw.get("name"))
    return location, name.lower() if location == "header" else name


def _bodies(parameters: Parameters) -> Iterator[Finding]:
    """Swagger 2.0: one body at most, and not beside a form."""
    bodies = [at for (location, _), at in parameters.items() if location == "body"]
    for at in bodies[1:]:
        yield finding(Code.BODY_DUPLICATE, at, "is a second body parameter")
    if bodies and any(location == "formData" for location, _ in parameters):
        text = "a body parameter does not go with formData parameters"
        yield finding(Code.BODY_WITH_FORM, bodies[0], text)


def check_operation_ids(nodes: Iterable[Spot]) -> Iterator[Finding]:
    """Operations, callbacks and webhooks included, that share an operationId."""
    by_id: dict[str, list[Spot]] = defaultdict(list)
    for node in nodes:
        name = node[0].get("operationId") if isinstance(node[0], dict) else None
        if isinstance(name, str):
            by_id[name].append(node)
    for name, same in by_id.items():
        if len(same) == 1:
            continue
        first, *others = sorted(map(pointer_of, same))
        for pointer in others:
            text = f"the operationId {name} also stands at {first}"
            yield finding(Code.OPERATION_ID_DUPLICATE, f"{pointer}/operationId", text)
