"""A request that a tool call would send, as JSON."""

from base64 import b64encode

from gateway.calls import BodyPreview, Preview
from gateway.messages import as_utf8

Json = dict[str, object]


def preview_json(preview: Preview) -> Json:
    """`{"method", "url", "headers", "hidden", "body"}`; see docs/endpoints.md."""
    headers: dict[str, str] = {}
    for name, value in preview.headers:
        text = as_utf8(value)
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return {
        "method": preview.method,
        "url": preview.url,
        "headers": headers,
        "hidden": list(preview.hidden),
        "body": _body_json(preview.body) if preview.body is not None else None,
    }


def _body_json(body: BodyPreview) -> Json:
    content = (
        {"text": body.text}
        if body.text is not None
        else {"base64": b64encode(body.data).decode("ascii")}
    )
    return {"bytes": body.size, "complete": body.is_whole, **content}
