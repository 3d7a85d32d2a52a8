"""MCP over stdio: one process, one client, an era that the first request fixes."""

from math import inf

from gateway.mcp.batches import read_batch
from gateway.mcp.decisions import Decision, Listen, Reply, Single, Subscribe
from gateway.mcp.envelopes import error_reply
from gateway.mcp.errors import INVALID_REQUEST, PARSE_ERROR, RpcError
from gateway.mcp.json_text import parse_json
from gateway.mcp.jsonrpc import Answer, Message, Notification, RpcRequest, read_message
from gateway.mcp.legacy import (
    Agreement,
    answer_legacy,
    hear_answer,
    hear_notification,
    read_handshake,
    welcome,
)
from gateway.mcp.modern import Stance, answer_modern, claims_modern, unsupported
from gateway.mcp.publication import Publication
from gateway.mcp.questions import QuestionIds
from gateway.mcp.revisions import ASSUMED

SCOPE = b"stdio"
_OPENING = frozenset({"initialize", "server/discover", "ping"})


class StdioDialogue:
    """The decisions of one stdio process.

    `bound_context` is the context that the operator gave to the process; without one, a legacy
    handshake takes `own_context` (a minted id) and modern calls are each on their own, because a
    modern stdio process is not a conversation (2026-07-28, statelessness).
    """

    def __init__(
        self,
        *,
        publication: Publication,
        questions: QuestionIds,
        own_context: str,
        bound_context: str | None = None,
    ) -> None:
        self._publication = publication
        self._questions = questions
        self._own_context = own_context
        self._stance = Stance(ambient_id=bound_context, cancel_scope=SCOPE)
        self._agreement = Agreement(revision=ASSUMED, scope=SCOPE, ambient_id=bound_context)
        self._modern: bool | None = None

    def on_line(self, line: bytes | None) -> Decision:
        """What to do about one line, None for one that was too long to keep."""
        if line is None:
            return error_reply(RpcError(PARSE_ERROR, "Line too long"), modern=bool(self._modern))
        try:
            value = parse_json(line)
            if isinstance(value, list) and not self._modern:
                return read_batch(value, self._agreement.revision, self._answer_legacy)
            message = read_message(value)
            if isinstance(message, Notification):
                return self._hear(message)
            if isinstance(message, Answer):
                return hear_answer(message, SCOPE, self._questions)
            return self._answer(message)
        except RpcError as error:
            return error_reply(error, modern=bool(self._modern))

    def _hear(self, notification: Notification) -> Single | Listen:
        if notification.method == "notifications/initialized" and not self._modern:
            # Nothing but the handshake's answer may be said before (every legacy revision).
            return Listen(scope=SCOPE, expires_at=inf)
        return hear_notification(notification, SCOPE)

    def _answer(self, request: RpcRequest) -> Single | Subscribe:
        claims = claims_modern(request.params)
        if self._modern is None:
            self._modern = claims and request.method != "initialize"
        if self._modern:
            if request.method == "initialize":
                raise unsupported(request, request.members.get("protocolVersion"))
            return answer_modern(request, self._stance, self._publication)
        if claims:
            raise RpcError(
                INVALID_REQUEST,
                "This process speaks a legacy revision since its first request",
                request_id=request.id,
            )
        if request.method == "initialize":
            return self._shake_hands(request)
        return answer_legacy(request, self._agreement, self._publication)

    def _answer_legacy(self, message: Message) -> Single:
        """A member of a batch: only 2025-03-26 has them, so the era is clear."""
        if isinstance(message, Notification):
            return hear_notification(message, SCOPE)
        if isinstance(message, Answer):
            return hear_answer(message, SCOPE, self._questions)
        self._modern = False
        return answer_legacy(message, self._agreement, self._publication)

    def _shake_hands(self, request: RpcRequest) -> Reply:
        handshake = read_handshake(request)
        self._agreement = Agreement(
            revision=handshake.revision,
            scope=SCOPE,
            ambient_id=self._stance.ambient_id or self._own_context,
            client_name=handshake.client_name,
            capabilities=handshake.capabilities,
        )
        return welcome(request, handshake, self._publication.server)


def is_opening(line: bytes | None) -> bool:
    """Whether the line asks for what can be said before there is a catalog.

    A client of both eras waits for `server/discover`, and goes when it is not answered soon.
    """
    try:
        value = None if line is None else parse_json(line)
    except RpcError:
        return True  # which is all there is to say about it
    return isinstance(value, dict) and value.get("method") in _OPENING and "id" in value
