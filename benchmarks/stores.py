"""Acknowledged updates per second of every store, beside the same rows without a store."""

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from uuid import uuid4

import uvloop
from redis.asyncio import Redis

from benchmarks.measuring import alternate, ratio, table
from gateway.context import CalledOperation, RecordCall, entry_for_call, mint_id, new_context
from gateway.interfaces import ContextStore
from gateway.policy import ANONYMOUS
from gateway.stores import StoreLimits, open_store
from tests.support.redis_server import start_redis

_CONTEXTS = 64
_WRITERS = 12
_ENTRIES = 20
"""Of each context, about 4 KB."""
_ROW = b"x" * 4_096
_TURNS = 20
_READS = 2_000
_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_NUMBERS = count()
_IDS = [mint_id(bytes([number]) * 16) for number in range(_CONTEXTS)]

Contender = Callable[[], float]


def _change(context_id: str) -> RecordCall:
    called = CalledOperation(api="bench", method="get", path="/repos/{owner}/{repo}", name="get")
    return RecordCall(
        operation_id=f"{next(_NUMBERS):032x}",
        entry=entry_for_call(
            now=_NOW, outcome=200, milliseconds=5, tool="reposGet", operation=called
        ),
        fresh=new_context(context_id, "bench", _NOW),
        max_history=_ENTRIES,
    )


def _with_store(url: str, work: Callable[[ContextStore], Awaitable[float]]) -> Contender:
    async def run() -> float:
        store = open_store(url, StoreLimits())
        try:
            for _ in range(_ENTRIES):
                await asyncio.gather(*(store.update(ANONYMOUS, i, _change(i)) for i in _IDS))
            return await work(store)
        finally:
            await store.aclose()

    return lambda: uvloop.run(run())


async def _many_contexts(store: ContextStore) -> float:
    async def write(context_id: str) -> None:
        for _ in range(_TURNS):
            await store.update(ANONYMOUS, context_id, _change(context_id))

    started = time.perf_counter()
    await asyncio.gather(*map(write, _IDS))
    return _CONTEXTS * _TURNS / (time.perf_counter() - started)


async def _one_context(store: ContextStore) -> float:
    async def write() -> None:
        for _ in range(_TURNS):
            await store.update(ANONYMOUS, _IDS[0], _change(_IDS[0]))

    started = time.perf_counter()
    await asyncio.gather(*(write() for _ in range(_WRITERS)))
    return _WRITERS * _TURNS / (time.perf_counter() - started)


async def _reading(store: ContextStore) -> float:
    started = time.perf_counter()
    for _ in range(_READS):
        await store.get(ANONYMOUS, _IDS[0])
    return _READS / (time.perf_counter() - started)


def _raw_sqlite(path: Path, rows: int) -> Contender:
    """Upserts, `rows` to a commit, with the store's own durability."""

    def run() -> float:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE IF NOT EXISTS rows (id TEXT PRIMARY KEY, record BLOB)")
        started = time.perf_counter()
        for _ in range(_TURNS):
            for first in range(0, _CONTEXTS, rows):
                connection.execute("BEGIN IMMEDIATE")
                for context_id in _IDS[first : first + rows]:
                    connection.execute(
                        "INSERT INTO rows VALUES (?, ?)"
                        " ON CONFLICT (id) DO UPDATE SET record = excluded.record",
                        (context_id, _ROW),
                    )
                connection.execute("COMMIT")
        rate = _CONTEXTS * _TURNS / (time.perf_counter() - started)
        connection.close()
        return rate

    return run


def _raw_redis(url: str, *, pipelined: bool) -> Contender:
    """SETs of redis-py: one after the other, or 64 to a pipeline."""

    async def one_by_one(client: Redis) -> None:
        for context_id in _IDS:
            await client.set(f"raw:{context_id}", _ROW, px=60_000)

    async def together(client: Redis) -> None:
        async with client.pipeline(transaction=False) as pipeline:
            for context_id in _IDS:
                _ = pipeline.set(f"raw:{context_id}", _ROW, px=60_000)
            await pipeline.execute()

    async def run() -> float:
        write = together if pipelined else one_by_one
        async with Redis.from_url(url) as client:
            await client.ping()
            started = time.perf_counter()
            for _ in range(_TURNS):
                await write(client)
            return _CONTEXTS * _TURNS / (time.perf_counter() - started)

    return lambda: uvloop.run(run())


def measure(rounds: int) -> str:
    """Markdown tables."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with start_redis(directory / "redis", "--appendfsync", "everysec") as redis:
            urls = {
                "memory": "memory://",
                "sqlite": f"sqlite:///{directory}/contexts-{uuid4().hex}.db",
                "redis": redis.url,
            }
            contenders: dict[str, Contender] = {
                "raw sqlite3, a commit each": _raw_sqlite(directory / "raw.db", 1),
                "raw sqlite3, 64 a commit": _raw_sqlite(directory / "raw.db", _CONTEXTS),
                "redis-py SET, one by one": _raw_redis(redis.url, pipelined=False),
                "redis-py SET, 64 a pipeline": _raw_redis(redis.url, pipelined=True),
            }
            for store, url in urls.items():
                contenders[f"{store}, 64 contexts"] = _with_store(url, _many_contexts)
                contenders[f"{store}, 12 writers of one context"] = _with_store(url, _one_context)
                contenders[f"{store}, `get` of a fresh copy"] = _with_store(url, _reading)
            return _tables(alternate(contenders, rounds), rounds)


def _tables(measured: dict[str, tuple[float, ...]], rounds: int) -> str:
    yardsticks = {
        "sqlite": ("raw sqlite3, a commit each", "raw sqlite3, 64 a commit"),
        "redis": ("redis-py SET, one by one", "redis-py SET, 64 a pipeline"),
    }
    rows = []
    for name, figures in measured.items():
        one, together = yardsticks.get(name.split(",")[0], ("", ""))
        compared = bool(one) and "get" not in name
        rows.append(
            [
                name,
                f"{sorted(figures)[len(figures) // 2]:,.0f}",
                ratio(figures, measured[one]) if compared else "",
                ratio(figures, measured[together]) if compared else "",
            ]
        )
    heads = ["", "per second", "x raw, one by one", "x raw, 64 together"]
    return f"{rounds} rounds\n\n" + table(heads, rows)
