"""Event streams towards clients that read as they please."""

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from gateway.server.event_streams import write_events


class Response(web.StreamResponse):
    """Remembers what was written; from the piece `stalls_at` on nobody reads."""

    def __init__(self, stalls_at: int | None = None) -> None:
        super().__init__()
        self.pieces: list[bytes] = []
        self.stalls_at = stalls_at

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        if len(self.pieces) == self.stalls_at:
            await asyncio.Event().wait()
        self.pieces.append(bytes(data))


async def test_who_reads_slowly_has_its_time_for_each_piece() -> None:
    response, data = Response(), bytes(range(256)) * 1_000
    await write_events(make_mocked_request("POST", "/mcp"), response, data)
    assert [len(piece) for piece in response.pieces] == [65_536, 65_536, 65_536, 59_392]
    assert b"".join(response.pieces) == data


@pytest.mark.parametrize("stalls_at", [0, 2])
async def test_who_reads_nothing_is_cut_off(
    stalls_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.server.event_streams.STALL_SECONDS", 0.01)
    request, response = make_mocked_request("POST", "/mcp"), Response(stalls_at)
    with pytest.raises(ConnectionError):
        await write_events(request, response, bytes(200_000))
    assert len(response.pieces) == stalls_at
    assert request.transport is not None
    assert request.transport.abort.called  # type: ignore[attr-defined]
