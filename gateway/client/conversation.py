"""One connection to an upstream that says what it was asked for, and nothing besides."""

from aiohttp import ClientOSError, ClientPayloadError, ServerDisconnectedError
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import HttpProcessingError, RawResponseMessage
from aiohttp.streams import StreamReader

MAX_INTERIM = 32
"""Interim answers (1xx) before the final one. 103 may come a few times, 102 now and then."""
_SWITCHING = 101


class Conversation(ResponseHandler):
    """aiohttp's protocol, less trusting.

    aiohttp takes what a kept connection says unasked for the answer to its next request, which
    may be another caller's. It reads any number of interim answers. It does not tell whether a
    connection that was lost had said anything, nor at once that the rest of a body is none.
    """

    _interim = 0
    _is_asked = False
    _has_spoken = False

    def set_response_params(self, **settings: object) -> None:
        """A request is about to be sent."""
        self._interim = 0
        self._is_asked, self._has_spoken = True, False
        super().set_response_params(**settings)  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        if data and not self._is_asked:
            self.abort()
            return
        self._has_spoken = True
        super().data_received(data)

    def feed_data(self, data: tuple[RawResponseMessage, StreamReader], size: int = 0) -> None:
        message, payload = data
        if self._interim > MAX_INTERIM:  # the rest of what had come with the last one
            return
        if not 100 <= message.code <= 199:
            payload.on_eof(self._finish)
        elif message.code != _SWITCHING:
            self._interim += 1
            if self._interim > MAX_INTERIM:
                self._give_up()
                return
        super().feed_data(data, size)

    def set_exception(self, exc: BaseException, *cause: BaseException) -> None:
        if self._has_spoken and isinstance(exc, ClientOSError | ServerDisconnectedError):
            exc = ClientPayloadError("it hung up in the middle of its answer")
        if isinstance(exc, HttpProcessingError) and self._payload is not None:
            # aiohttp tells who waits for a head, and lets who waits for the body wait.
            self._payload.set_exception(ClientPayloadError("its body makes no sense"))
        super().set_exception(exc, *cause)

    def _give_up(self) -> None:
        self.set_exception(HttpProcessingError(code=502, message="endless 1xx"))
        # close() and abort() of the protocol would forget why.
        if self.transport is not None:
            self.transport.abort()

    def _finish(self) -> None:
        self._is_asked = False
