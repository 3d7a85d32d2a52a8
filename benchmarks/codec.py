"""What `OCP-Session` costs to make and to read, beside the bare steps and the usual way."""

import base64
import gzip
import json
import random
import statistics
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import orjson
from isal import isal_zlib

from benchmarks.measuring import alternate, ratio, table
from gateway.context import (
    AgentContext,
    CalledOperation,
    HistoryEntry,
    decode_session,
    encode_session,
    entry_for_call,
    new_context,
    outbound_headers,
    to_mapping,
)

_ENTRIES = (3, 17, 36, 72, 1_000)
"""Contexts of about 1, 4, 8 and 16 KB of JSON, and one whose history does not fit."""
_TIMES = 200
_START = datetime(2026, 1, 1, tzinfo=UTC)
_OPERATIONS = (
    ("listPets", "/pets"),
    ("getPet", "/pets/{id}"),
    ("createOrder", "/orders"),
    ("usersGetByUsername", "/users/{username}"),
    ("issuesListForRepo", "/repos/{owner}/{repo}/issues"),
)
T = TypeVar("T")
_BARE, _USUAL = "bare steps", "json and gzip at their defaults"


def measure(rounds: int) -> str:
    """Markdown tables, one for each size."""
    return "\n\n".join(_compare(_context(entries), rounds) for entries in _ENTRIES)


def _context(entries: int) -> AgentContext:
    chance = random.Random(entries)
    context = new_context("ocp-0123456789abcdef0123456789abcdef", "coding_assistant", _START)
    history = tuple(_entry(chance) for _ in range(entries))
    return replace(context, current_goal="Mend the flaky test of payments", history=history)


def _entry(chance: random.Random) -> HistoryEntry:
    name, path = chance.choice(_OPERATIONS)
    api = chance.choice(("pets", "github"))
    return entry_for_call(
        now=_START + timedelta(microseconds=chance.randrange(10**12)),
        outcome=chance.choice((200, 200, 201, 404)),
        milliseconds=chance.randrange(400),
        tool=name,
        operation=CalledOperation(api=api, method="GET", path=path, name=name),
    )


def _compare(context: AgentContext, rounds: int) -> str:
    mapping = to_mapping(context)
    size = len(orjson.dumps(mapping))
    value = encode_session(context)
    if value is None:
        raise RuntimeError("a context that cannot be sent")
    writing = _rows(_writers(context, mapping), rounds)
    heads = [f"{size:,} bytes of JSON", "µs", f"x {_BARE}"]
    if len(context.history) == _ENTRIES[-1]:
        # What the bare steps make of so much is longer than the protocol allows.
        return table(heads, writing)
    reading = _rows(_readers(value, context.context_id), rounds)
    return table(heads, [["**writing**", "", ""], *writing, ["**reading**", "", ""], *reading])


def _rows(contenders: Mapping[str, Callable[[], float]], rounds: int) -> list[list[str]]:
    figures = alternate(contenders, rounds)
    return [
        [name, f"{statistics.median(times):.2f}", ratio(times, figures[_BARE])]
        for name, times in figures.items()
    ]


def _writers(
    context: AgentContext, mapping: dict[str, object]
) -> Mapping[str, Callable[[], float]]:
    outbound_headers(context, full=True)
    return {
        _BARE: _each(_bare, lambda: [mapping] * _TIMES),
        _USUAL: _each(_usual, lambda: [mapping] * _TIMES),
        "a context never seen": _each(encode_session, lambda: _strangers(context)),
        "a next version": _each(encode_session, lambda: _versions(context)),
        "its seven headers": _each(_headers, lambda: _versions(context)),
        "the same again": _each(_headers, lambda: [context] * _TIMES),
    }


def _readers(value: str, context_id: str) -> Mapping[str, Callable[[], float]]:
    spaced = json.dumps(to_mapping(_decoded(value, context_id)))
    theirs = "gzip:" + base64.b64encode(gzip.compress(spaced.encode())).decode()
    ours, others = [value] * _TIMES, [theirs] * _TIMES
    return {
        _BARE: _each(_bare_reading, lambda: ours),
        _USUAL: _each(_usual_reading, lambda: ours),
        "of the gateway's making": _each(lambda v: decode_session(v, context_id), lambda: ours),
        "of ocp-python's making": _each(lambda v: decode_session(v, context_id), lambda: others),
    }


def _each(
    function: Callable[[T], object], values: Callable[[], Sequence[T]]
) -> Callable[[], float]:
    """Microseconds of CPU time that the function takes for one of the values, made untimed."""

    def run() -> float:
        prepared = values()
        started = time.thread_time()
        for value in prepared:
            function(value)
        return (time.thread_time() - started) / len(prepared) * 1e6

    return run


def _strangers(context: AgentContext) -> list[AgentContext]:
    """The context as it comes out of a store: equal, and nothing known of its entries."""
    return [
        replace(context, history=tuple(replace(entry) for entry in context.history))
        for _ in range(_TIMES)
    ]


def _versions(context: AgentContext) -> list[AgentContext]:
    """What one more call makes of it."""
    chance = random.Random(0)
    return [replace(context, history=(*context.history[1:], _entry(chance))) for _ in range(_TIMES)]


def _headers(context: AgentContext) -> object:
    return outbound_headers(context, full=True)


def _decoded(value: str, context_id: str) -> AgentContext:
    context = decode_session(value, context_id)
    if not isinstance(context, AgentContext):
        raise TypeError(f"not read: {context}")
    return context


def _bare(mapping: dict[str, object]) -> str:
    packed = isal_zlib.compress(orjson.dumps(mapping), 1, 31)
    return "gzip:" + base64.b64encode(packed).decode()


def _usual(mapping: dict[str, object]) -> str:
    return "gzip:" + base64.b64encode(gzip.compress(json.dumps(mapping).encode())).decode()


def _packed(value: str) -> bytes:
    return base64.b64decode(value.removeprefix("gzip:"))


def _bare_reading(value: str) -> object:
    data = _packed(value)
    return orjson.loads(zlib.decompress(data, 31) if value.startswith("gzip:") else data)


def _usual_reading(value: str) -> object:
    data = _packed(value)
    return json.loads(gzip.decompress(data) if value.startswith("gzip:") else data)
