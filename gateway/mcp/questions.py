"""Questions to a client: as results of the modern era, as requests of the earlier ones."""

import hmac
import re
from collections.abc import Iterable, Mapping

from gateway.errors import InputRequest
from gateway.mcp.decisions import Reply, Work
from gateway.mcp.envelopes import in_context, result_reply
from gateway.mcp.json_text import encode_json
from gateway.mcp.keys import derive, from_text, to_text
from gateway.mcp.request_meta import CONTEXT_ID
from gateway.mcp.revisions import Revision

QUESTION_BYTES = 12
_LABEL = b"mcp-question"
_ID = re.compile(r"q\.([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{22})", re.ASCII)


class QuestionIds:
    """Ids of requests of ours, which tell on any process that this session was asked.

    `keys`: secrets of at least 32 bytes; the first signs, all verify.
    """

    def __init__(self, keys: Iterable[bytes]) -> None:
        self._keys = [derive(key, _LABEL) for key in keys]

    def mint(self, session: bytes, nonce: bytes) -> str:
        """`nonce`: QUESTION_BYTES fresh random bytes."""
        return f"q.{to_text(nonce)}.{to_text(_sign(self._keys[0], session, nonce))}"

    def is_of(self, session: bytes, question_id: object) -> bool:
        """Whether the session was asked a question of this id."""
        match = _ID.fullmatch(question_id) if isinstance(question_id, str) else None
        if match is None:
            return False
        nonce, mac = from_text(match[1]), from_text(match[2])
        if nonce is None or mac is None:
            return False
        return any(hmac.compare_digest(mac, _sign(key, session, nonce)) for key in self._keys)


def input_required(
    work: Work,
    requests: Mapping[str, InputRequest],
    *,
    state: str | None,
    context_id: str | None,
) -> Reply:
    """The modern result that asks."""
    members: dict[str, object] = {"resultType": "input_required"}
    if requests:
        members["inputRequests"] = {
            key: {"method": request.method, "params": request.params}
            for key, request in requests.items()
        }
    if state is not None:
        members["requestState"] = state
    meta: dict[str, object] = {} if context_id is None else {CONTEXT_ID: context_id}
    members["_meta"] = work.server.meta(meta)
    return in_context(result_reply(work.id, encode_json(members)), context_id)


def question(question_id: str, request: InputRequest, revision: Revision) -> bytes:
    """A legacy request of ours."""
    params = request.params
    if params.get("mode") == "url":
        # 2025-11-25 requires it, the next revision has none.
        params = {"elicitationId": question_id, **params}
    if request.method == "elicitation/create" and not revision.newer_forms:
        params = _older_form(params)
    message = {"jsonrpc": "2.0", "id": question_id, "method": request.method}
    # roots/list takes no parameters, and some clients refuse an empty object.
    return encode_json({**message, "params": params} if params else message)


def _older_form(params: Mapping[str, object]) -> Mapping[str, object]:
    """A form as 2025-06-18 knows it: no mode, choices by `enum` and `enumNames`."""
    schema = params.get("requestedSchema")
    if not isinstance(schema, Mapping):
        return params
    properties = schema.get("properties")
    fields = properties if isinstance(properties, Mapping) else {}
    older = {
        "type": "object",
        "properties": {name: _older_field(field) for name, field in fields.items()},
    }
    if "required" in schema:
        older["required"] = schema["required"]
    return {"message": params.get("message"), "requestedSchema": older}


def _older_field(field: object) -> object:
    if not isinstance(field, Mapping):
        return field
    kept = {k: v for k, v in field.items() if k != "default" or field.get("type") == "boolean"}
    choices = kept.pop("oneOf", None)
    if isinstance(choices, list):
        options = [choice for choice in choices if isinstance(choice, Mapping)]
        kept["enum"] = [option.get("const") for option in options]
        kept["enumNames"] = [str(option.get("title", option.get("const"))) for option in options]
    return kept


def _sign(key: bytes, session: bytes, nonce: bytes) -> bytes:
    return hmac.digest(key, session + nonce, "sha256")[:16]
