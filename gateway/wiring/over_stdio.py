"""The gateway over standard input and output: it talks before it has read any description."""

import asyncio
import secrets
import time

from gateway.catalog import Offerings, View
from gateway.config import Config
from gateway.context import mint_id
from gateway.engine import Gateway
from gateway.errors import ApiUnavailable
from gateway.mcp import Publication, StdioDialogue, ToolPages
from gateway.server.asking import Asking
from gateway.server.listening import Listening
from gateway.server.mcp_calls import CallDesk
from gateway.server.mcp_stdio import Counter, serve_stdio
from gateway.server.pipes import claim_stdout
from gateway.server.session_records import SessionRecords
from gateway.stores import MemoryBoard, ResultFiles
from gateway.wiring.listing import Lists
from gateway.wiring.loading import load_apis
from gateway.wiring.observing import open_observatory
from gateway.wiring.parts import (
    additions_of,
    have_threads,
    kept_current,
    make_lists,
    make_server,
    open_gateway,
    unless,
)
from gateway.wiring.storing import make_guarded_stores


async def stdio(config: Config, *, context_id: str | None) -> None:
    """Speak MCP over this process's standard input and output until the input ends.

    Raises DescriptionError when no API at all can be loaded.
    """
    have_threads()
    stdout, lists = claim_stdout(), make_lists(config)
    talk = _Talk(config, lists, context_id)
    talking = asyncio.ensure_future(
        serve_stdio(talk.counter, dialogue=talk.dialogue, stdin=0, stdout=stdout)
    )
    over = asyncio.Event()
    talking.add_done_callback(lambda _: over.set())
    try:
        loaded = await unless(over, load_apis(config))
        if loaded is not None:
            store, _ = make_guarded_stores(config.store)
            async with (
                open_gateway(config, loaded, store, open_observatory()) as gateway,
                kept_current(gateway, loaded, asyncio.Event(), lists),
            ):
                talk.open(gateway)
                await talking
        await talking
    finally:
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)


class _Talk:
    """What a conversation needs: at once a dialogue, once there is a gateway the rest."""

    def __init__(self, config: Config, lists: Lists, context_id: str | None) -> None:
        self.counter: asyncio.Future[Counter] = asyncio.get_running_loop().create_future()
        self._gateway: Gateway | None = None
        # Nobody else serves this client, so its keys and its board are this process's own.
        self._board = MemoryBoard()
        self._asking = Asking(
            keys=(secrets.token_bytes(32),),
            clock=time.time,
            new_bytes=secrets.token_bytes,
            board=self._board,
        )
        server = make_server(config)
        pages = ToolPages(
            server,
            additions=additions_of(config),
            page_size=config.mcp.page_size,
            recall=lists.recall,
        )
        self.dialogue = StdioDialogue(
            publication=Publication(
                server=server,
                pages=pages,
                view=self._view,
                offerings=self._offerings,
                ttl_ms=self._ttl_ms,
            ),
            questions=self._asking.questions,
            own_context=mint_id(secrets.token_bytes(16)),
            bound_context=context_id,
        )

    def _view(self) -> View:
        return self._opened.view()

    def _offerings(self) -> Offerings:
        return self._opened.offerings()

    def _ttl_ms(self) -> int:
        return self._gateway.ttl_ms() if self._gateway is not None else 0

    @property
    def _opened(self) -> Gateway:
        if self._gateway is None:
            raise ApiUnavailable("the descriptions are being loaded")
        return self._gateway

    def open(self, gateway: Gateway) -> None:
        """From now on everything is answered."""
        gateway.keep_results(ResultFiles(), url=None)
        self._gateway = gateway
        records = SessionRecords(self._board, clock=time.time)
        desk = CallDesk(
            gateway, asking=self._asking, records=records, new_bytes=secrets.token_bytes
        )
        listening = Listening(gateway.changes, clock=time.time, look=records.look)
        self.counter.set_result(Counter(desk=desk, listening=listening))
