"""The HTTP+SSE transport of 2024-11-05: an open event stream is the session, POSTs belong to it."""

from dataclasses import replace

from gateway.mcp.batches import read_batch
from gateway.mcp.decisions import Doable, Reply, Single
from gateway.mcp.envelopes import error_reply
from gateway.mcp.errors import INVALID_REQUEST, RpcError
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
from gateway.mcp.modern import claims_modern
from gateway.mcp.publication import Publication
from gateway.mcp.questions import QuestionIds
from gateway.mcp.revisions import V2024_11_05


class SseDialogue:
    """The decisions of one stream, whose client may agree to any legacy revision.

    `scope` is random and names the session, which ends at `until`, seconds since the epoch;
    `context_id` is the one that its calls share.
    """

    def __init__(
        self,
        *,
        publication: Publication,
        questions: QuestionIds,
        scope: bytes,
        context_id: str,
        until: float,
    ) -> None:
        self._publication = publication
        self._questions = questions
        # A client of a later revision says so in its `initialize`.
        self._agreement = Agreement(
            revision=V2024_11_05, scope=scope, ambient_id=context_id, until=until
        )

    def on_message(self, body: bytes) -> Doable:
        """What to do about one POST.

        A Reply with a status from 400 on answers the POST itself, because nothing in the body says
        which request it would answer on the stream.
        """
        try:
            value = parse_json(body)
            if isinstance(value, list):
                return read_batch(value, self._agreement.revision, self._answer)
            message = read_message(value)
            if isinstance(message, RpcRequest) and message.method == "initialize":
                return self._shake_hands(message)
            return self._answer(message)
        except RpcError as error:
            reply = error_reply(error, modern=False)
            return reply if error.request_id is None else replace(reply, status=200)

    def _answer(self, message: Message) -> Single:
        scope = self._agreement.scope
        if isinstance(message, Notification):
            return hear_notification(message, scope)
        if isinstance(message, Answer):
            return hear_answer(message, scope, self._questions)
        return self._serve(message)

    def _serve(self, request: RpcRequest) -> Single:
        if claims_modern(request.params):
            raise RpcError(
                INVALID_REQUEST,
                "This transport has no revision later than 2025-11-25",
                request_id=request.id,
            )
        return answer_legacy(request, self._agreement, self._publication)

    def _shake_hands(self, request: RpcRequest) -> Reply:
        handshake = read_handshake(request)
        self._agreement = replace(
            self._agreement,
            revision=handshake.revision,
            client_name=handshake.client_name,
            capabilities=handshake.capabilities,
        )
        return welcome(request, handshake, self._publication.server)
