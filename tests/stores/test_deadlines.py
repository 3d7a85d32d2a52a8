"""One timer for all: nobody waits longer than the bound, nobody is told to give up before it."""

import asyncio

import pytest

from gateway.errors import StoreUnavailable
from gateway.stores.deadlines import Deadlines


def future() -> "asyncio.Future[str]":
    return asyncio.get_running_loop().create_future()


async def test_an_answer_in_time_is_the_result() -> None:
    answer = future()
    waiting = asyncio.ensure_future(Deadlines(60, "late").wait(answer))
    await asyncio.sleep(0)
    answer.set_result("here")
    assert await waiting == "here"


async def test_whoever_waits_too_long_is_told() -> None:
    deadlines = Deadlines(0.01, "late")
    results = await asyncio.wait_for(
        asyncio.gather(*(deadlines.wait(future()) for _ in range(3)), return_exceptions=True), 5
    )
    assert [str(result) for result in results] == ["late"] * 3
    assert {type(result) for result in results} == {StoreUnavailable}


async def test_an_old_timer_does_not_hit_who_came_later() -> None:
    deadlines = Deadlines(0.05, "late")
    answered, open_end = future(), future()
    first = asyncio.ensure_future(deadlines.wait(answered))
    await asyncio.sleep(0)
    answered.set_result("here")
    assert await first == "here"
    started = asyncio.get_running_loop().time()
    with pytest.raises(StoreUnavailable):
        await asyncio.wait_for(deadlines.wait(open_end), 5)
    # As far as the clock of the loop can tell: a timer may be early by its resolution.
    assert asyncio.get_running_loop().time() - started > 0.045


async def test_whoever_is_cancelled_cancels_the_future() -> None:
    answer = future()
    waiting = asyncio.ensure_future(Deadlines(60, "late").wait(answer))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait((waiting,))
    assert answer.cancelled()


async def test_what_is_done_is_let_go_of() -> None:
    deadlines = Deadlines(60, "late")
    for _ in range(100):
        answer = future()
        answer.set_result("here")
        await deadlines.wait(answer)
    assert len(deadlines._waiting) == 1
