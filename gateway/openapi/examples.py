"""Examples beside a schema: those of Parameter and Media Type Objects."""

from collections.abc import Iterator, Mapping

from gateway.openapi.document import Document, Node, UnresolvedRef
from gateway.openapi.keywords import is_shallow


def read_examples(holder: Node, document: Document) -> tuple[object, ...]:
    """The values of `example` and of `examples` in the order of names, each once.

    OpenAPI 3.1 section 4.8.19. What cannot be shown as a value (an `externalValue`, a reference to
    nothing) is left out.
    """
    raw = holder.value
    if not isinstance(raw, Mapping):
        return ()
    found: list[object] = []
    for value in [*_single(raw), *_named(holder, document)]:
        if is_shallow(value) and not any(_is_same(value, known) for known in found):
            found.append(value)
    return tuple(found)


def _single(raw: Mapping[str, object]) -> Iterator[object]:
    if "example" in raw:
        yield raw["example"]


def _named(holder: Node, document: Document) -> Iterator[object]:
    examples = holder.child("examples")
    if examples is None or not isinstance(examples.value, dict):
        return
    for name in sorted(examples.value, key=str):
        entry = examples.child(name)
        try:
            found = document.follow(entry).value if entry else None
        except UnresolvedRef:
            continue
        for member in ("dataValue", "value"):  # the first is OpenAPI 3.2's
            if isinstance(found, Mapping) and member in found:
                yield found[member]
                break


def _is_same(value: object, known: object) -> bool:
    """Equal in JSON, where 1 is not true."""
    return value == known and isinstance(value, bool) is isinstance(known, bool)
