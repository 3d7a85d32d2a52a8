"""What every way into MCP over HTTP works with."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from gateway.catalog import NO_ADDITIONS, Additions, Recall, make_anew
from gateway.engine import Gateway
from gateway.interfaces import SessionBoard
from gateway.mcp import LARGE, Publication, Reply, Server, ToolPages
from gateway.server.asking import Asking
from gateway.server.listening import Listening
from gateway.server.mcp_calls import CallDesk
from gateway.server.running_calls import RunningCalls
from gateway.server.session_records import SessionRecords

T = TypeVar("T")

# Some encoders escape the slash (RFC 8259 section 7). What only speaks of it, in a text, has its
# quotes escaped; whatever else is missed, or found in vain, is answered all the same.
_ASKS_FOR_TOOLS = re.compile(rb'"method"\s*:\s*"tools\\?/list"')


@dataclass(frozen=True, slots=True, kw_only=True)
class McpSettings:
    """`session_keys`: secrets of at least 32 bytes; the first signs, all verify.

    A call that takes longer than `ping_seconds` answers as an event stream, so that nobody between
    us and the client takes the silence for death.
    """

    server: Server
    session_keys: tuple[bytes, ...] = field(repr=False)
    additions: Additions = NO_ADDITIONS
    page_size: int = 0
    recall: Recall = make_anew
    max_body_bytes: int = 10_485_760
    ping_seconds: float = 15.0


class McpParts:
    """The parts of one process, put together.

    `clock`: seconds since the epoch; `new_bytes`: that many random bytes.
    """

    def __init__(
        self,
        gateway: Gateway,
        *,
        settings: McpSettings,
        clock: Callable[[], float],
        new_bytes: Callable[[int], bytes],
        board: SessionBoard,
    ) -> None:
        self.gateway = gateway
        self.settings = settings
        self.clock = clock
        self.new_bytes = new_bytes
        self.asking = Asking(
            keys=settings.session_keys, clock=clock, new_bytes=new_bytes, board=board
        )
        self.questions = self.asking.questions
        self.records = SessionRecords(board, clock=clock)
        self.pages = ToolPages(
            settings.server,
            additions=settings.additions,
            page_size=settings.page_size,
            recall=settings.recall,
        )
        self.desk = CallDesk(
            gateway,
            asking=self.asking,
            records=self.records,
            new_bytes=new_bytes,
            running=RunningCalls(board),
        )
        self.listening = Listening(
            gateway.changes,
            clock=clock,
            look=self.records.look,
            ping_seconds=settings.ping_seconds,
        )
        self._listing = asyncio.Lock()

    def close(self) -> None:
        """See McpEndpoint.close_streams."""
        self.listening.close()
        self.asking.close()

    def publication(self, api: str | None) -> Publication:
        server = self.settings.server
        return Publication(
            server=server if api is None else server.of_one_api(),
            pages=self.pages,
            view=lambda: self.gateway.view(api),
            offerings=lambda: self.gateway.offerings(api),
            ttl_ms=lambda: self.gateway.ttl_ms(api),
        )

    async def decide(self, body: bytes, think: Callable[[], T]) -> T | Reply:
        """`think()`'s decision about `body`; a bug in there is answered like any other."""

        def decide() -> T | Reply:
            return self.desk.consider(body, think)

        if _ASKS_FOR_TOOLS.search(body) is None:
            return decide() if len(body) < LARGE else await asyncio.to_thread(decide)
        # The first list of a catalog takes long to make, and nobody else shall wait for it.
        async with self._listing:
            return await asyncio.to_thread(decide)
