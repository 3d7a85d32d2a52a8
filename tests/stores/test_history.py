"""A growing history is written piece by piece, and reads as if it had been written at once."""

from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.context import HistoryEntry
from gateway.stores import history
from gateway.stores.history import HistoryText, write_history
from tests.support.contexts import append


def entries(count: int) -> tuple[HistoryEntry, ...]:
    return tuple(append(f"call{number}").entry for number in range(count))


def at_once(entries: tuple[HistoryEntry, ...]) -> bytes:
    return orjson.dumps(entries)[1:-1]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 70)), max_size=6))
def test_appending_and_dropping_give_the_text_of_the_whole(steps: list[tuple[int, int]]) -> None:
    now: tuple[HistoryEntry, ...] = ()
    text: HistoryText | None = None
    for added, dropped in steps:
        now = (*now, *entries(added))[dropped:]
        text = write_history(now, text)
        assert (text.entries, text.data) == (now, at_once(now))


@pytest.mark.parametrize("kept", [slice(0, 2), slice(2, 1), slice(0, 0)], ids=str)
def test_a_history_that_lost_its_end_is_written_anew(kept: slice) -> None:
    before = entries(4)
    text = write_history(before[kept], write_history(before, None))
    assert text.data == at_once(before[kept])


def test_an_equal_entry_is_not_the_same() -> None:
    one = entries(1)[0]
    integer, real = replace(one, metadata={"n": 1}), replace(one, metadata={"n": 1.0})
    assert integer == real
    text = write_history((real,), write_history((integer,), None))
    assert text.data == at_once((real,))


def test_only_what_was_added_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    before = entries(500)
    text = write_history(before, None)
    written: list[int] = []
    write = history._write

    def counting(part: tuple[HistoryEntry, ...]) -> bytes:
        written.append(len(part))
        return write(part)

    monkeypatch.setattr(history, "_write", counting)
    write_history((*before[1:], *entries(1)), text)
    assert written == [1, 1]
