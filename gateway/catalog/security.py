"""The security schemes that an operation asks for (OpenAPI 3.1 section 4.8.10)."""

from collections.abc import Mapping

from gateway.openapi import Document, Operation, clean_text

Requirements = list[dict[str, list[str]]]
"""Alternatives, each with all the schemes that it needs and their scopes."""


def read_security(operation: Operation, document: Document) -> Requirements | None:
    """The operation's own requirements, else those of the whole description.

    An empty list says that none are needed; None that the description says nothing usable.
    """
    own = operation.node.get("security")
    given = document.root.get("security") if own is None else own
    if not isinstance(given, list):
        return None
    read = [_alternative(item) for item in given if _is_alternative(item)]
    # An empty list would say more than what cannot be read.
    return read if read or not given else None


def _is_alternative(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(s, list) for s in value.values())


def _alternative(value: Mapping[object, list[object]]) -> dict[str, list[str]]:
    return {
        clean_text(str(name)): [clean_text(scope) for scope in scopes if isinstance(scope, str)]
        for name, scopes in value.items()
    }
