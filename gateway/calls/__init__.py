"""Tool + arguments -> Request; Response -> ToolResult."""

from gateway.calls.answers import content_type, may_be_json, media_type_of
from gateway.calls.bodies import json_bytes
from gateway.calls.confirming import (
    CONFIRM,
    confirmation_digest,
    confirmation_request,
    target_digest,
)
from gateway.calls.content import (
    Audio,
    Content,
    Image,
    Link,
    Resource,
    Rest,
    Structured,
    Text,
    ToolResult,
    failed,
)
from gateway.calls.continuation import OFFER, continuation, is_interaction, may_ask, offer
from gateway.calls.decoding import charset_of, decode_beginning, decode_text, loads
from gateway.calls.eliciting import (
    ARGUMENTS,
    MAX_GIVEN,
    arguments_request,
    given_values,
    missing_arguments,
)
from gateway.calls.envelope import BadEnvelope, EnvelopeReader
from gateway.calls.envelope_lines import (
    Asked,
    JsonAnswer,
    LastLine,
    Line,
    LogLine,
    NativeAnswer,
    Progress,
)
from gateway.calls.excerpts import EXCERPT_BYTES, Ending, Larger
from gateway.calls.failures import (
    MAY_HAVE_HAPPENED,
    UNSAFE_TO_REPEAT,
    broken_interaction,
    unasked,
    undecodable,
)
from gateway.calls.forms import FORM_TYPE
from gateway.calls.inflating import ContentDecoder, Undecodable
from gateway.calls.preview import HIDDEN, BodyPreview, Preview, preview_request
from gateway.calls.request import build_request
from gateway.calls.results import native_result, read_result
from gateway.calls.selecting import NotSelected, Selected, check_select, select_json
from gateway.calls.styles import cookie_name
from gateway.calls.validation import (
    REQUIRED,
    ArgumentValidator,
    compile_schema,
    pointer_of,
    type_name,
)

__all__ = [
    "ARGUMENTS",
    "CONFIRM",
    "EXCERPT_BYTES",
    "FORM_TYPE",
    "HIDDEN",
    "MAX_GIVEN",
    "MAY_HAVE_HAPPENED",
    "OFFER",
    "REQUIRED",
    "UNSAFE_TO_REPEAT",
    "ArgumentValidator",
    "Asked",
    "Audio",
    "BadEnvelope",
    "BodyPreview",
    "Content",
    "ContentDecoder",
    "Ending",
    "EnvelopeReader",
    "Image",
    "JsonAnswer",
    "Larger",
    "LastLine",
    "Line",
    "Link",
    "LogLine",
    "NativeAnswer",
    "NotSelected",
    "Preview",
    "Progress",
    "Resource",
    "Rest",
    "Selected",
    "Structured",
    "Text",
    "ToolResult",
    "Undecodable",
    "arguments_request",
    "broken_interaction",
    "build_request",
    "charset_of",
    "check_select",
    "compile_schema",
    "confirmation_digest",
    "confirmation_request",
    "content_type",
    "continuation",
    "cookie_name",
    "decode_beginning",
    "decode_text",
    "failed",
    "given_values",
    "is_interaction",
    "json_bytes",
    "loads",
    "may_ask",
    "may_be_json",
    "media_type_of",
    "missing_arguments",
    "native_result",
    "offer",
    "pointer_of",
    "preview_request",
    "read_result",
    "select_json",
    "target_digest",
    "type_name",
    "unasked",
    "undecodable",
]
