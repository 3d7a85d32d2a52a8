"""The `x-ocp-*` keys (OCP 1.0) against the constraints of their places."""

from collections.abc import Iterator, Mapping

from gateway.openapi.document import Document, Node, UnresolvedRef, join
from gateway.openapi.extensions import INFO, OPERATION, RESPONSE, Constraint, extension_faults
from gateway.openapi.findings import Code, Finding, finding


def check_info(root: Mapping[str, object]) -> Iterator[Finding]:
    """Those of the whole API."""
    yield from _findings(root.get("info"), "/info", INFO)


def check_operation(document: Document, operation: Node) -> Iterator[Finding]:
    """Those of one operation and of its responses, references to these followed."""
    yield from _findings(operation.value, operation.pointer, OPERATION)
    responses = operation.child("responses")
    if responses is None or not isinstance(responses.value, dict):
        return
    for status, value in responses.value.items():
        try:
            response = document.follow(
                Node(value=value, pointer=join(responses.pointer, str(status)))
            )
        except UnresolvedRef:
            continue  # said where references are checked
        yield from _findings(response.value, response.pointer, RESPONSE)


def _findings(holder: object, at: str, constraints: Mapping[str, Constraint]) -> Iterator[Finding]:
    for below, message in extension_faults(holder, constraints):
        text = f"{message}; counts as absent"
        yield finding(Code.OCP_EXTENSION_INVALID, f"{at}{below}", text)
