"""One client's connection: aiohttp's, with a door in front and a clock for what it waits for.

`tests/server/test_aiohttp_seams.py` pins what is used of aiohttp beyond its public names.
"""

import asyncio
from collections.abc import Callable
from math import inf
from typing import Final

from aiohttp import StreamReader, web
from aiohttp.web_protocol import RequestHandler

from gateway.errors import GatewayError, RequestTimeout
from gateway.server.door import MAX_PIPELINED, READ_BYTES, Door
from gateway.server.overload import REFUSAL, Overload, Verdict
from gateway.server.pace import Clock, Patience, Phase
from gateway.server.problems import problem

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connection(RequestHandler):
    """`idle_since` is loop time; None while there is anything of a request.

    `is_refused`: the request at hand is none, and `door.refusal` says why. `is_admitted`: what has
    come last may pass although the server has more to do than it can.
    """

    __slots__ = (
        "_clock",
        "_count_late",
        "_holds_reading",
        "_is_busy",
        "_overload",
        "_patience",
        "_unsent",
        "_unsent_since",
        "door",
        "idle_since",
        "is_admitted",
        "is_refused",
    )

    def __init__(
        self,
        manager: web.Server,
        *,
        loop: asyncio.AbstractEventLoop,
        door: Callable[["Connection"], Door],
        patience: Patience,
        count_late: Callable[[str], None],
        overload: Overload | None,
        **settings: object,
    ) -> None:
        super().__init__(manager, loop=loop, read_bufsize=READ_BYTES, **settings)  # type: ignore[arg-type]
        self.door = door(self)
        self._parser = self.door  # type: ignore[assignment]
        self._max_msg_queue_size = MAX_PIPELINED
        self._msg_queue_resume_size = MAX_PIPELINED // 2
        now = loop.time()
        self._patience = patience
        self._count_late = count_late
        self._overload = overload
        self.is_admitted = False
        self._clock = Clock(patience, now)
        self._unsent, self._unsent_since = 0, now
        self._is_busy = False
        self._holds_reading = False
        self.idle_since: float | None = now
        self.is_refused = False

    def data_received(self, data: bytes) -> None:
        self.is_admitted = False
        if self._overload is not None and self._overload.is_limited and self._is_shed(data):
            return
        super().data_received(data)
        if data and not self.door.is_shut:
            self._note_progress(len(data))

    def _is_shed(self, data: bytes) -> bool:
        """Whether the one request in `data` has been answered already, with a refusal."""
        # Who does not read refusals gets no more of them.
        if self._overload is None or self.idle_since is None or self.writing_paused:
            return False
        verdict = self._overload.judge(data)
        self.is_admitted = verdict is Verdict.ADMITTED
        if verdict is not Verdict.REFUSED or self.transport is None:
            return False
        self.transport.write(REFUSAL)
        self._clock.stop()
        self.idle_since = self._loop.time()
        return True

    def pause_reading(self) -> None:
        self._holds_reading = True
        super().pause_reading()

    def resume_reading(self, resume_parser: bool = True) -> None:  # noqa: FBT001, FBT002 - aiohttp's
        self._holds_reading = False
        super().resume_reading(resume_parser)

    def begin(self, *, is_refused: bool) -> None:
        """A request is going to be handled."""
        self._is_busy = True
        self.is_refused = is_refused
        self.idle_since = None

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        done = response, is_gone = await super().finish_response(request, resp, start_time)
        if is_gone:
            return done
        if response.keep_alive and (self._messages or not self.door.is_shut):
            await self._drop_rest(request.content)
        elif not (self.door.is_at_rest and request.content.is_eof()):
            await self._linger()
        self._is_busy = False
        if not self._messages and not self.door.reads_body:
            self._await_next(self._loop.time())
        return done

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,  # noqa: ARG002 - aiohttp's signature, as below
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it may hold input
    ) -> web.StreamResponse:
        """The answer to what no middleware has caught, without its text."""
        self.logger.error("%s failed outside of its handler", request.method, exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer is under way already")
        response = problem(
            status=500,
            code="internal_error",
            title="Internal error",
            detail="The gateway failed; its log says how.",
        )
        response.force_close()
        return response

    def refuse(self, error: GatewayError) -> None:
        """Answer with `error`, whatever else comes, and close."""
        self._clock.stop()
        self.idle_since = None
        self.door.refuse(error)
        self.data_received(b"")

    def look(self, now: float, transport: asyncio.Transport) -> None:
        """Act on what is late. Called every `Patience.look` seconds."""
        unsent = transport.get_write_buffer_size()
        if unsent == 0 or unsent != self._unsent:
            self._unsent, self._unsent_since = unsent, now
        elif now - self._unsent_since >= self._patience.unread:
            self._count_late("unread")
            transport.abort()
        phase = self._clock.phase
        if phase is Phase.BODY and (self._holds_reading or self.door.uninvited is not None):
            self._clock.excuse(now)
        if now >= self._clock.deadline:
            self._clock.stop()
            self._count_late(phase.value)
            self._end(phase, now)

    def _end(self, phase: Phase, now: float) -> None:
        if phase is Phase.FIRST_BYTE:
            self.force_close()  # nobody has asked, so there is nothing to answer
        elif phase is Phase.HEAD:
            self.refuse(RequestTimeout("the request's head stopped coming"))
        elif phase is Phase.BODY:
            self.door.break_off(RequestTimeout("the request's body stopped coming"))
            self._clock.await_end(now)  # somebody may wait for other things than this body
        elif self.transport is not None:
            self.transport.abort()

    def _note_progress(self, size: int) -> None:
        if self.door.reads_body:
            self._clock.await_body(size, self._loop.time())
        elif self._is_busy or self._messages:
            self._clock.stop()
        elif self.door.has_part_of_head:
            self._clock.await_head(self._loop.time())
        else:
            return
        self.idle_since = None

    def _await_next(self, now: float) -> None:
        self._clock.stop()
        if self.door.has_part_of_head:
            self._clock.await_head(now)
        else:
            self.idle_since = now  # aiohttp has a clock of its own for this

    async def _drop_rest(self, body: StreamReader) -> None:
        """What nobody has read of a body makes room for the next request."""
        try:
            while not body.is_eof():
                await body.readany()
        except GatewayError:
            self.force_close()

    async def _linger(self) -> None:
        """Let the answer be read although more is on its way (RFC 9112 section 9.6).

        A connection that is closed with bytes unread is reset, and takes its last answer along.
        """
        self.door.shut()
        self._clock.stop()
        if self.transport is not None and self.transport.can_write_eof():
            self.transport.write_eof()
        if self._holds_reading:
            self.resume_reading(resume_parser=False)
        await asyncio.sleep(self._patience.linger)
        self.force_close()


async def invite_body(request: web.BaseRequest) -> None:
    """Say that the body is wanted, where its sender waits for that; before the first read of it.

    RFC 9110 section 10.1.1. Whoever is refused first keeps the body.
    """
    connection = request.protocol
    if isinstance(connection, Connection) and connection.door.uninvited is request.content:
        connection.door.uninvited = None
        if connection.transport is not None:
            connection.transport.write(CONTINUE)


MAX_DROPPED: Final = 65_536
"""Bytes of a body that are read for nothing, so that the connection can be used again."""


async def close_early(request: web.Request, response: web.StreamResponse) -> None:
    """For `on_response_prepare`: an answer before the request's end is the connection's last."""
    connection, body = request.protocol, request.content
    if body.is_eof() or not isinstance(connection, Connection):
        return
    is_short = (request.content_length or inf) <= MAX_DROPPED and body.exception() is None
    if connection.door.is_shut or connection.door.uninvited is body or not is_short:
        response.headers["Connection"] = "close"
        response.force_close()
