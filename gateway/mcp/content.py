"""Content blocks in each revision's words; what a revision lacks is said in words that it has.

A client refuses a whole result for one block of a type that it does not know.
"""

from collections.abc import Mapping

from gateway.calls import Audio, Content, Image, Link, Resource, Rest, Text
from gateway.catalog import result_uri
from gateway.mcp.revisions import Revision

Json = dict[str, object]


def render_content(content: Content, revision: Revision, index: int) -> Json:
    """One content block; `index` makes the URI of a block that has none of its own."""
    block = _block(_lowered(content, revision, index), revision)
    if content.annotations:
        block["annotations"] = _annotations(content.annotations, revision)
    if content.meta and revision.block_meta:
        block["_meta"] = content.meta
    return block


def render_rest(rest: Rest) -> Json:
    """Where an excerpt goes on, for programs."""
    return {"handle": rest.handle, "start": rest.start, "size": rest.size, "complete": rest.whole}


def link_rest(rest: Rest) -> Link:
    """The same for people and models: the whole of what the excerpt is the beginning of."""
    return Link(
        uri=result_uri(rest.handle),
        name="answer",
        description=f"The answer; the excerpt ends before byte {rest.start}.",
        size=rest.size,
    )


def _lowered(content: Content, revision: Revision, index: int) -> Content:
    """The same in a block that the revision has."""
    match content:
        case Audio(data=data, media_type=media_type) if not revision.audio:
            uri = f"urn:ocp-gateway:audio:{index}"
            return Resource(uri=uri, media_type=media_type, blob=data)
        case Link() if not revision.links:
            return Text(text=_said(content))
        case _:
            return content


def _block(content: Content, revision: Revision) -> Json:
    match content:
        case Text(text=text):
            return {"type": "text", "text": text}
        case Image(data=data, media_type=media_type):
            return {"type": "image", "data": data, "mimeType": media_type}
        case Audio(data=data, media_type=media_type):
            return {"type": "audio", "data": data, "mimeType": media_type}
        case Resource():
            return _resource(content, revision)
        case Link():
            return _link(content)


def _annotations(annotations: Mapping[str, object], revision: Revision) -> Json:
    return {
        name: value
        for name, value in annotations.items()
        if revision.block_meta or name != "lastModified"
    }


def _resource(content: Resource, revision: Revision) -> Json:
    resource: Json = {"uri": content.uri}
    if content.media_type is not None:
        resource["mimeType"] = content.media_type
    if content.blob is not None:
        resource["blob"] = content.blob
    else:
        resource["text"] = content.text or ""
    if content.contents_meta and revision.block_meta:
        resource["_meta"] = content.contents_meta
    return {"type": "resource", "resource": resource}


def _link(link: Link) -> Json:
    optional = {
        "title": link.title,
        "description": link.description,
        "mimeType": link.media_type,
        "size": link.size,
    }
    told = {name: value for name, value in optional.items() if value is not None}
    return {"type": "resource_link", "uri": link.uri, "name": link.name, **told}


def _said(link: Link) -> str:
    """`[name: URI (media type, 12 bytes)] description`."""
    size = None if link.size is None else f"{link.size} bytes"
    details = ", ".join(detail for detail in (link.media_type, size) if detail)
    text = f"[{link.title or link.name}: {link.uri}{f' ({details})' if details else ''}]"
    return f"{text} {link.description}" if link.description else text
