"""`mcp.resources` into values."""

from collections.abc import Iterator

from gateway.catalog import (
    OWN_SCHEME,
    DeclaredResource,
    UriTemplate,
    read_template,
    uri_fault,
)
from gateway.config.offered import Entries
from gateway.config.tree import Keys

_SOURCES = ("tool", "text", "file")


def read_resources(entries: Entries) -> Iterator[DeclaredResource]:
    """What is declared; what the schema has refused already may be missing."""
    seen: dict[str, Keys] = {}
    for index in range(entries.tree.size("mcp", "resources")):
        keys: Keys = ("mcp", "resources", index)
        word = entries.one_of(keys, ("uri", "uriTemplate"))
        source = entries.one_of(keys, _SOURCES)
        if word is not None and source is not None:
            entries.check_new(seen, (*keys, word))
            yield _resource(entries, keys, word, source)


def _resource(entries: Entries, keys: Keys, word: str, source: str) -> DeclaredResource:
    tree = entries.tree
    template = _template(entries, (*keys, word), source)
    data, media_type = _data(entries, keys, source)
    return DeclaredResource(
        uri=tree.text(*keys, word) or "",
        name=tree.text(*keys, "name") or "",
        template=template,
        title=tree.text(*keys, "title"),
        description=tree.text(*keys, "description"),
        media_type=tree.text(*keys, "mimeType") or media_type,
        tool=tree.text(*keys, "tool"),
        data=data,
        place=str(tree.origin(keys)),
    )


def _template(entries: Entries, keys: Keys, source: str) -> UriTemplate | None:
    """The template that stands at `keys`, None for a URI or a fault."""
    text = entries.tree.text(*keys) or ""
    fault: str | None = None
    template = None
    if text.lower().startswith(OWN_SCHEME):
        fault = "this scheme is the gateway's own"
    elif keys[-1] == "uri":
        fault = uri_fault(text)
    elif source != "tool":
        fault = "a template needs a tool; give a uri"
    else:
        try:
            template = read_template(text)
        except ValueError as error:
            fault = str(error)
    if fault is not None:
        entries.tree.fault(keys, fault)
    return template


def _data(entries: Entries, keys: Keys, source: str) -> tuple[bytes | None, str | None]:
    """The content that does not come from a tool, and its media type if that can be told."""
    if source == "file":
        return entries.file((*keys, "file"))
    if source == "text":
        text = entries.tree.text(*keys, "text") or ""
        return text.encode(errors="replace"), "text/plain"
    return None, None
