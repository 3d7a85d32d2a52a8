"""Streamable HTTP: which era a request belongs to, and what is decided about it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.catalog import NO_OFFERINGS, Offerings, View
from gateway.mcp.batches import read_batch
from gateway.mcp.decisions import (
    ACCEPTED,
    Doable,
    EndSession,
    Listen,
    Reply,
    Single,
    Subscribe,
)
from gateway.mcp.envelopes import error_reply
from gateway.mcp.errors import HEADER_MISMATCH, INVALID_REQUEST, RpcError
from gateway.mcp.http_head import EVENT_STREAM, accepted_types, refuse, single_header
from gateway.mcp.json_text import parse_json
from gateway.mcp.jsonrpc import Answer, Message, RpcRequest, read_message
from gateway.mcp.legacy import (
    Agreement,
    answer_legacy,
    hear_answer,
    hear_notification,
    read_handshake,
    welcome,
)
from gateway.mcp.modern import Stance, answer_modern, claims_modern
from gateway.mcp.publication import Publication, Server, ToolPages
from gateway.mcp.questions import QuestionIds
from gateway.mcp.revisions import ASSUMED, LEGACY_BY_NAME, V2025_11_25, Revision
from gateway.mcp.sessions import Session, Sessions
from gateway.messages import Headers
from gateway.policy import Principal

SESSION_ID = "Mcp-Session-Id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """The circumstances of one HTTP request.

    `api`: the path's API, None for all of them; `now`: seconds since the epoch; `nonce`: fresh
    random bytes, NONCE_BYTES of them; `view`, `offerings` and `ttl_ms` as in Publication.
    `session`: what `session_of` found, unless it has ended.
    """

    headers: Headers
    principal: Principal
    api: str | None
    now: float
    nonce: bytes = field(repr=False)
    view: Callable[[], View]
    offerings: Callable[[], Offerings] = lambda: NO_OFFERINGS
    ttl_ms: Callable[[], int] = lambda: 0
    session: Session | None = None


class StreamableHttp:
    """The decisions of `/mcp` and `/mcp/{api}`."""

    def __init__(
        self, *, server: Server, sessions: Sessions, questions: QuestionIds, pages: ToolPages
    ) -> None:
        self._server = server
        self._server_of_one = server.of_one_api()
        self._sessions = sessions
        self._questions = questions
        self._pages = pages

    def session_of(self, arrival: Arrival) -> Session | None:
        """The session that a legacy request names, so far as its id alone can tell."""
        session_id = single_header(arrival.headers, SESSION_ID)
        if session_id is None or not _is_legacy(arrival):
            return None
        return self._sessions.find(
            session_id, principal=arrival.principal, api=arrival.api, now=arrival.now
        )

    def on_post(self, arrival: Arrival, body: bytes) -> Doable | Subscribe:
        """What to do about a POST whose head `refuse_head` had nothing against."""
        version = single_header(arrival.headers, "MCP-Protocol-Version")
        # A header sent twice, or one that we do not know, is for the modern ladder to judge.
        modern = version is not None and version not in LEGACY_BY_NAME
        try:
            value = parse_json(body)
            if modern:
                return self._answer_modern(arrival, read_message(value))
            return self._answer_legacy(arrival, value, version)
        except RpcError as error:
            return error_reply(error, modern=modern)

    def on_get(self, arrival: Arrival) -> Reply | Listen:
        """An event stream for a legacy session; everything else here is for POST."""
        try:
            session = self._session_behind(arrival)
        except RpcError as error:
            return refuse(error)
        if EVENT_STREAM not in accepted_types(arrival.headers):
            message = f"Accept must name {EVENT_STREAM}"
            return refuse(RpcError(INVALID_REQUEST, message, http_status=406))
        return Listen(
            scope=session.nonce,
            expires_at=session.expires_at,
            # Earlier clients take an event without data for a message.
            is_primed=session.handshake.revision == V2025_11_25,
            last_event_id=single_header(arrival.headers, "Last-Event-ID"),
        )

    def on_delete(self, arrival: Arrival) -> Reply | EndSession:
        """The end of a legacy session."""
        try:
            session = self._session_behind(arrival)
        except RpcError as error:
            return refuse(error)
        return EndSession(session=session.nonce, until=session.expires_at)

    def _answer_modern(self, arrival: Arrival, message: Message) -> Doable | Subscribe:
        if isinstance(message, Answer):
            raise RpcError(INVALID_REQUEST, "There is no request of ours to answer")
        if not isinstance(message, RpcRequest):
            # Ids are not scoped to a caller, so not even a cancellation may act on them.
            return ACCEPTED
        decision = answer_modern(message, Stance(routing=arrival.headers), self._publish(arrival))
        if isinstance(decision, Subscribe) and EVENT_STREAM not in accepted_types(arrival.headers):
            raise RpcError(
                INVALID_REQUEST,
                f"Accept must name {EVENT_STREAM}",
                request_id=message.id,
                http_status=406,
            )
        return decision

    def _answer_legacy(self, arrival: Arrival, value: object, version: str | None) -> Doable:
        if isinstance(value, list):
            session = self._find_session(arrival)
            agreed = session.handshake.revision if session else _named(version)
            return read_batch(
                value, agreed, lambda message: self._answer_one(arrival, message, session)
            )
        message = read_message(value)
        if isinstance(message, RpcRequest) and claims_modern(message.params):
            raise RpcError(
                HEADER_MISMATCH,
                "MCP-Protocol-Version must say what params._meta says",
                request_id=message.id,
                http_status=400,
            )
        if isinstance(message, RpcRequest) and message.method == "initialize":
            return self._open_session(arrival, message)
        return self._answer_one(arrival, message, self._find_session(arrival, message))

    def _answer_one(self, arrival: Arrival, message: Message, session: Session | None) -> Single:
        if isinstance(message, Answer):
            return hear_answer(message, session.nonce, self._questions) if session else ACCEPTED
        if not isinstance(message, RpcRequest):
            return hear_notification(message, session.nonce) if session else ACCEPTED
        if session is None:
            raise RpcError(INVALID_REQUEST, f"{SESSION_ID} is missing", request_id=message.id)
        agreement = Agreement(
            revision=session.handshake.revision,
            scope=session.nonce,
            ambient_id=session.context_id,
            client_name=session.handshake.client_name,
            capabilities=session.handshake.capabilities,
            until=session.expires_at,
        )
        return answer_legacy(message, agreement, self._publish(arrival))

    def _open_session(self, arrival: Arrival, request: RpcRequest) -> Reply:
        handshake = read_handshake(request)
        session_id = self._sessions.mint(
            handshake,
            principal=arrival.principal,
            api=arrival.api,
            now=arrival.now,
            nonce=arrival.nonce,
        )
        server = self._publish(arrival).server
        return welcome(request, handshake, server, headers=((SESSION_ID, session_id),))

    def _find_session(self, arrival: Arrival, message: Message | None = None) -> Session | None:
        """The session that the request names, None if it names none. Raises RpcError (404)."""
        if single_header(arrival.headers, SESSION_ID) is None:
            return None
        if arrival.session is None:
            request_id = message.id if isinstance(message, RpcRequest) else None
            raise RpcError(
                INVALID_REQUEST, "No such session", request_id=request_id, http_status=404
            )
        return arrival.session

    def _session_behind(self, arrival: Arrival) -> Session:
        """The session of a GET or DELETE, which only legacy clients send. Raises RpcError."""
        session = self._find_session(arrival) if _is_legacy(arrival) else None
        if session is None:
            raise RpcError(INVALID_REQUEST, "Only POST is served here", http_status=405)
        return session

    def _publish(self, arrival: Arrival) -> Publication:
        return Publication(
            server=self._server if arrival.api is None else self._server_of_one,
            pages=self._pages,
            view=arrival.view,
            offerings=arrival.offerings,
            ttl_ms=arrival.ttl_ms,
        )


def _is_legacy(arrival: Arrival) -> bool:
    version = single_header(arrival.headers, "MCP-Protocol-Version")
    return version is None or version in LEGACY_BY_NAME


def _named(version: str | None) -> Revision:
    return ASSUMED if version is None else LEGACY_BY_NAME[version]
