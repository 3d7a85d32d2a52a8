"""What a description says of an operation's effects, in the words of MCP's tool annotations.

There is no standard for it; other gateways read `x-mcp-annotations` on the Operation Object, too.
"""

from collections.abc import Iterator, Mapping

from gateway.openapi import Operation

EXTENSION = "x-mcp-annotations"
HINTS = ("readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_BY_METHOD: Mapping[str, Mapping[str, bool]] = {
    **{method: {"readOnlyHint": True, "idempotentHint": True} for method in _SAFE},
    "PUT": {"idempotentHint": True},
    "DELETE": {"destructiveHint": True, "idempotentHint": True},
}


def read_title(operation: Operation) -> str:
    """The extension's title; empty where it gives none."""
    title = _given(operation).get("title")
    return title.strip() if isinstance(title, str) else ""


def read_hints(operation: Operation) -> Mapping[str, bool]:
    """The extension's hints, those that are true or false."""
    given = _given(operation)
    return (
        {}
        if not given
        else {key: value for key in HINTS if isinstance(value := given.get(key), bool)}
    )


def hints_of(method: str) -> dict[str, bool]:
    """Hints that follow from the HTTP method's semantics (RFC 9110 section 9.2).

    POST and PATCH promise nothing, so nothing is said beyond that the tool reaches out. What the
    description says of its operation comes before these.
    """
    return {**_BY_METHOD.get(method.upper(), {}), "openWorldHint": True}


def annotation_faults(operation: Operation) -> Iterator[str]:
    """What of the extension is not read, and what of it the method contradicts."""
    raw = operation.node.get(EXTENSION)
    if raw is not None and not isinstance(raw, Mapping):
        yield "is not an object; ignored"
    for key, value in _given(operation).items():
        if key not in HINTS and key != "title":
            yield f"{str(key)[:40]!r} is no annotation; ignored"
        elif not isinstance(value, str if key == "title" else bool):
            kind = "text" if key == "title" else "true or false"
            yield f"{key} is not {kind}; ignored"
    hints = read_hints(operation)
    if hints.get("readOnlyHint") and operation.method not in {*_SAFE, "POST"}:
        yield f"says that {operation.method} only reads; clients may call it unasked"
    if hints.get("destructiveHint") is False and operation.method == "DELETE":
        yield "says that DELETE destroys nothing; clients may call it unasked"


def _given(operation: Operation) -> Mapping[str, object]:
    raw = operation.node.get(EXTENSION)
    return raw if isinstance(raw, dict) else {}
