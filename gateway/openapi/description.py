"""One description as a whole: which version, which operations, what was left out and why."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from gateway.errors import DescriptionError
from gateway.openapi.conversion import SchemaTooDeep
from gateway.openapi.document import Document, Node, UnresolvedRef, join
from gateway.openapi.extensions import OcpSupport, read_context_use, read_support
from gateway.openapi.hygiene import hides_something
from gateway.openapi.model import (
    METHODS,
    Operation,
    Parameter,
    Problem,
    Schema,
    Signature,
    tags_of,
)
from gateway.openapi.parameters import Parameters, Skip, read_body
from gateway.openapi.reach import HIDDEN
from gateway.openapi.schemas import Schemas
from gateway.openapi.servers import operation_servers, read_servers
from gateway.openapi.swagger2 import read_inputs

_TOOL_METHODS = frozenset(method.lower() for method in METHODS)
# Fixed fields of a Path Item Object that are methods but no tools (docs/names.md).
_OTHER_METHODS = frozenset({"trace", "query"})


_SUPPORTED = re.compile(r"3\.[0-2](?![0-9])")
SWAGGER = "2.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """One API's operations and problems, both in the document's order.

    `version` is `2.0`, `3.0`, `3.1` or `3.2`. `signatures` names every operation that can be told
    apart, the skipped ones included.
    """

    api: str
    version: str
    title: str
    document: Document
    schemas: Schemas
    operations: tuple[Operation, ...]
    signatures: tuple[Signature, ...]
    problems: tuple[Problem, ...]

    @property
    def servers(self) -> tuple[str, ...]:
        """The URLs of the description's servers (of Swagger 2.0 made of host and base path)."""
        return read_servers(self.document.root)

    @property
    def about(self) -> str:
        """What the API is, in the description's own words; empty where it does not say."""
        return read_about(self.document.root)

    @property
    def ocp(self) -> OcpSupport:
        """What the description says of the API's use of contexts."""
        return read_support(self.document.root)


def read_description(
    root: object, *, api: str, takes: Callable[[Signature], bool] | None = None
) -> Description:
    """Read a parsed description, `root` being its Document or, where it has no other, its value.

    `takes` says which operations are wanted; the others are not looked at, so that nothing is said
    of them. None: all.

    A fault inside one operation costs that operation and becomes a Problem. Raises
    DescriptionError when the whole is no description of OpenAPI 3.0 to 3.2 or Swagger 2.0.
    """
    document = root if isinstance(root, Document) else _document(root)
    root = document.root
    version = _version(root)
    paths = root.get("paths", {})
    if not isinstance(paths, dict):
        raise DescriptionError("/paths: is not an object")
    reader = _Reader(api, document, version, takes)
    for path, item in paths.items():
        reader.read_path(str(path), item)
    info = root.get("info")
    title = info.get("title") if isinstance(info, dict) else None
    return Description(
        api=api,
        version=version,
        title=title.strip() if isinstance(title, str) else "",
        document=document,
        schemas=reader.schemas,
        operations=tuple(reader.operations),
        signatures=tuple(reader.signatures),
        # What path items share is found again for each of their operations.
        problems=tuple(dict.fromkeys(reader.problems)),
    )


class LateReader:
    """Reads single operations of a document that `read_description` has found good before."""

    def __init__(self, document: Document, *, api: str) -> None:
        """Raises DescriptionError where it was not."""
        self._reader = _Reader(api, document, _version(document.root))

    @property
    def schemas(self) -> Schemas:
        return self._reader.schemas

    @property
    def about(self) -> str:
        return read_about(self._reader.document.root)

    @property
    def ocp(self) -> OcpSupport:
        return self._reader.ocp

    def read(self, signature: Signature) -> Operation:
        """The operation that `read_description` gave for this signature."""
        return self._reader.read_again(signature)


def read_about(root: Mapping[str, object]) -> str:
    """The description of the Info Object, else its summary (3.1), as they are."""
    info = root.get("info")
    texts = [info.get(key) for key in ("description", "summary")] if isinstance(info, dict) else []
    return next((t.strip() for t in texts if isinstance(t, str) and t.strip()), "")


def _document(root: object) -> Document:
    if not isinstance(root, dict):
        raise DescriptionError("the description is not an object")
    return Document(root)


def _version(root: Mapping[str, object]) -> str:
    # `openapi: 3.0` without quotes is a number in YAML, and so is `swagger: 2.0`.
    given = str(root.get("openapi", "")).strip()
    if _SUPPORTED.match(given):
        return given[:3]
    if "swagger" in root:
        swagger = _word(root["swagger"])
        if swagger in ("2", SWAGGER):
            return SWAGGER
        raise DescriptionError(f"Swagger {swagger} is not supported, {_WHICH}")
    if not given:
        raise DescriptionError("there is no `openapi` member: not an OpenAPI description")
    raise DescriptionError(f"OpenAPI {_word(given)} is not supported, {_WHICH}")


_WHICH = "OpenAPI 3.0 to 3.2 and Swagger 2.0 are"


def _word(value: object) -> str:
    """The first word of what should be a version number."""
    return "".join(str(value).split()[:1])[:20]


class _Reader:
    """Walks the paths of one document, collecting operations and problems."""

    def __init__(
        self,
        api: str,
        document: Document,
        version: str,
        takes: Callable[[Signature], bool] | None = None,
    ) -> None:
        self.api = api
        self.takes = takes
        self.swagger = version == SWAGGER
        self.document = document
        # Before 3.1 what stands beside a `$ref` does not count.
        self.ref_siblings = version not in (SWAGGER, "3.0")
        self.schemas = Schemas(document, ref_siblings=self.ref_siblings)
        # No method of this reader: a circle would outlive it while the collector rests.
        self.check = partial(_check_parameter, self.schemas)
        self.parameters = Parameters(document, self.check, ref_siblings=self.ref_siblings)
        self.operations: list[Operation] = []
        self.signatures: list[Signature] = []
        self.problems: list[Problem] = []
        self.ocp = read_support(document.root)

    def report(self, pointer: str, severity: str, message: str) -> None:
        self.problems.append(
            Problem(api=self.api, pointer=pointer, severity=severity, message=message)
        )

    def read_path(self, path: str, item: object) -> None:
        pointer = join("/paths", path)
        if not path.startswith("/"):
            if not path.startswith("x-"):
                self.report(pointer, "error", "a path starts with `/`; skipped")
            return
        if item is None:
            self.report(pointer, "warning", "the path has nothing in it")
            return
        try:
            members = self._path_item(Node(value=item, pointer=pointer))
        except UnresolvedRef as error:
            self.report(error.pointer, "error", f"{error.reason}; skipped")
            self._sign_all(path, item)
            return
        for key, node in members.items():
            if key in _TOOL_METHODS:
                self._read_operation(path, key.upper(), node, members)
            elif key in _OTHER_METHODS or key == "additionalOperations":
                self._report_other(key, node)

    def _report_other(self, key: str, node: Node) -> None:
        """Say of operations that are no tools that they are none."""
        others = node.value if key == "additionalOperations" else None  # 3.2
        found = {key: node.pointer} if key in _OTHER_METHODS else {}
        if isinstance(others, dict):
            found = {str(method): join(node.pointer, str(method)) for method in others}
        for method, pointer in found.items():
            self.report(pointer, "warning", f"{method.upper()[:20]} operations are no tools")

    def _path_item(self, node: Node) -> dict[str, Node]:
        """The members of a Path Item Object; its own win over those of its `$ref` (3.1)."""
        own = dict(self._members(node))
        target = self.document.follow(node)
        return dict(self._members(target)) | own if target is not node else own

    def _members(self, node: Node) -> Iterator[tuple[str, Node]]:
        if not isinstance(node.value, dict):
            raise UnresolvedRef(node.pointer, "a path item is an object")
        for key, value in node.value.items():
            if key != "$ref":
                yield str(key), Node(value=value, pointer=join(node.pointer, str(key)))

    def _read_operation(self, path: str, method: str, node: Node, item: Mapping[str, Node]) -> None:
        try:
            # No version knows a reference here, but authors of split descriptions write them.
            node = self.document.follow(node)
        except UnresolvedRef as error:
            # Its method and path are known, and nobody else may have its name and its route.
            self._sign(path, method, None)
            self.report(error.pointer, "error", f"{method} {path} skipped: {error.reason}")
            return
        signature = self._sign(path, method, node.value)
        if self.takes and not self.takes(signature):
            return
        try:
            operation = self._operation(path, method, node, item, signature.operation_id)
        except (UnresolvedRef, Skip) as error:
            self.report(error.pointer, "error", f"{method} {path} skipped: {error.reason}")
        except SchemaTooDeep:
            self.report(node.pointer, "error", f"{method} {path} skipped: a schema is too deep")
        else:
            self.operations.append(operation)

    def _sign_all(self, path: str, item: object) -> None:
        """What a path item that leads nowhere has of its own keeps its names and routes."""
        for key, value in item.items() if isinstance(item, dict) else ():
            if key in _TOOL_METHODS:
                self._sign(path, key.upper(), value)

    def _sign(self, path: str, method: str, value: object) -> Signature:
        operation_id = value.get("operationId") if isinstance(value, dict) else None
        if not isinstance(operation_id, str):
            operation_id = None
        tags = tags_of(value) if self.takes else ()
        signature = Signature(method=method, path=path, operation_id=operation_id, tags=tags)
        self.signatures.append(signature)
        return signature

    def read_again(self, signature: Signature) -> Operation:
        path, method = signature.path, signature.method
        paths = Node(value=self.document.root["paths"], pointer="/paths")
        item = self._path_item(paths.child(path) or paths)
        node = self.document.follow(item[method.lower()])
        return self._operation(path, method, node, item, signature.operation_id)

    def _operation(
        self,
        path: str,
        method: str,
        node: Node,
        item: Mapping[str, Node],
        operation_id: str | None,
    ) -> Operation:
        if not isinstance(node.value, dict):
            raise Skip(node.pointer, "an operation is an object")
        shared = item.get("parameters")
        if self.swagger:
            parameters, body, warnings = read_inputs(self.document, path, shared, node)
            for parameter in parameters:
                warnings.extend(self.check(parameter))
        else:
            parameters, warnings = self.parameters.read(
                path, shared, node.child("parameters"), node.pointer
            )
            given = node.child("requestBody")
            body = read_body(self.document, given, warnings, ref_siblings=self.ref_siblings)
        for pointer, message in warnings:
            self.report(pointer, "warning", message)
        if hides_something(path):
            raise Skip(node.pointer, HIDDEN)
        if body is not None:
            for place, message in _check_schema(self.schemas, body.schema, body.pointer):
                self.report(place, "warning", message)
        return Operation(
            method=method,
            path=path,
            operation_id=operation_id,
            parameters=parameters,
            body=body,
            node=node.value,
            pointer=node.pointer,
            servers=operation_servers(self.document.root, item.get("servers"), node),
            context=read_context_use(node.value, aware=self.ocp.context_aware),
        )


def _check_parameter(schemas: Schemas, parameter: Parameter) -> list[tuple[str, str]]:
    if hides_something(parameter.name):
        raise Skip(parameter.pointer, HIDDEN)
    return _check_schema(schemas, parameter.schema, parameter.schema_pointer)


def _check_schema(schemas: Schemas, schema: Schema, pointer: str) -> list[tuple[str, str]]:
    lost = schemas.check(schema, pointer)
    return [(place, "the pattern cannot be matched; left out") for place in lost]
