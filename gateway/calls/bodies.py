"""Body arguments as the bytes of a request (docs/serialisation.md)."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from gateway.calls.forms import encode_form
from gateway.calls.multipart import (
    FILE_TYPE,
    NOT_BASE64,
    Part,
    Path,
    Unsendable,
    decode_base64,
    read_parts,
    write_parts,
)
from gateway.calls.styles import text_of
from gateway.calls.validation import pointer_of
from gateway.catalog import BodyForm, BodyMode, Files, Tool
from gateway.errors import Fault, NotAvailable
from gateway.openapi import Encoding, essence_of

_NO_ENCODING = Encoding()
_CHARSET = re.compile(r"; *charset *= *\"?([^;\"]*)[^;]*", re.IGNORECASE)
# What is sent for a range of types, which no Content-Type can name.
_CONCRETE: Mapping[BodyForm, str] = {
    BodyForm.JSON: "application/json",
    BodyForm.TEXT: "text/plain",
    BodyForm.BINARY: FILE_TYPE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyPlan:
    """How a tool's body is made. `names` are its arguments by their names in the body.

    `media_type` is the description's, `content_type` what is sent, but for a boundary.
    """

    mode: BodyMode
    form: BodyForm
    media_type: str
    content_type: str
    required: bool
    names: Mapping[str, str]
    files: Files
    encodings: Mapping[str, Encoding]


def plan_body(tool: Tool) -> BodyPlan | None:
    """The plan of the tool's body; None where it has none."""
    body, arguments = tool.operation.body, tool.arguments
    if body is None:
        return None
    return BodyPlan(
        mode=arguments.body_mode,
        form=arguments.body_form,
        media_type=body.media_type,
        content_type=_content_type(body.media_type, arguments.body_form),
        required=body.required,
        names={a.original: a.name for a in arguments.items if a.location == "body"},
        files=arguments.files,
        encodings=body.encodings,
    )


def encode_body(
    plan: BodyPlan, given: Mapping[str, object], faults: list[Fault]
) -> tuple[bytes | None, str | None]:
    """Body and Content-Type that the valid arguments `given` make; None, None for no body.

    What cannot be sent goes to `faults`. Raises NotAvailable for a media type that nothing can be
    sent as.
    """
    if plan.mode is BodyMode.WHOLE:
        value = given.get(plan.names["body"])
        is_given = plan.names["body"] in given and (value is not None or plan.form is BodyForm.JSON)
    else:
        value = {name: given[key] for name, key in plan.names.items() if key in given}
        is_given = bool(value) or plan.required
    if not is_given:
        return None, None
    if plan.form is BodyForm.JSON:
        return json_bytes(value), plan.content_type
    if plan.form is BodyForm.FORM and isinstance(value, Mapping):
        return encode_form(value, plan.encodings), plan.content_type
    if plan.form is BodyForm.MULTIPART and isinstance(value, Mapping):
        return _multipart(plan, value, faults)
    if plan.form in (BodyForm.TEXT, BodyForm.BINARY):
        return _text(plan, text_of(value), faults), plan.content_type
    raise NotAvailable(f"bodies of type {plan.media_type[:100]!r} cannot be sent")


def json_bytes(value: object) -> bytes:
    """Compact UTF-8 JSON; integers of any size stay exact."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _multipart(
    plan: BodyPlan, members: Mapping[str, object], faults: list[Fault]
) -> tuple[bytes, str]:
    found = [
        part
        for name, value in members.items()
        for part in read_parts(
            name,
            value,
            plan.files.get(name, plan.files.get(None)),
            plan.encodings.get(name, _NO_ENCODING),
        )
    ]
    faults += [
        Fault(pointer=_pointer(plan, part.path), message=part.reason)
        for part in found
        if isinstance(part, Unsendable)
    ]
    parts = [part for part in found if isinstance(part, Part)]
    # Readers that stream (Box, S3) want to know everything else before a file begins.
    body, boundary = write_parts(sorted(parts, key=lambda part: part.filename is not None))
    return body, f"{plan.content_type}; boundary={boundary}"


def _text(plan: BodyPlan, text: str, faults: list[Fault]) -> bytes:
    if plan.form is BodyForm.TEXT:
        return text.encode()
    if (data := decode_base64(text)) is None:
        faults.append(Fault(pointer=_pointer(plan, ()), message=NOT_BASE64))
    return data or b""


def _pointer(plan: BodyPlan, path: Path) -> str:
    """From a path in the body to the pointer of its argument."""
    if plan.mode is BodyMode.WHOLE:
        return pointer_of([plan.names["body"], *path])
    return pointer_of([plan.names[str(path[0])], *path[1:]])


def _content_type(media_type: str, form: BodyForm) -> str:
    """What stands in Content-Type: never a range, never another charset than the one sent."""
    media_type = media_type.strip()
    if form is BodyForm.MULTIPART:
        return "multipart/form-data"
    if "*" in essence_of(media_type):
        media_type = _CONCRETE.get(form, media_type)
    if form is BodyForm.BINARY:
        return media_type
    charset = _CHARSET.search(media_type)
    if charset is not None and charset[1].strip().lower() == "utf-8":
        return media_type
    # RFC 7303 section 3.2: over the charset that an XML document declares itself, this one wins.
    if charset is not None or form is BodyForm.TEXT:
        return f"{_CHARSET.sub('', media_type)}; charset=utf-8"
    return media_type
