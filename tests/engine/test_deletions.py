"""A context that is deleted while a call is under way."""

import asyncio
from datetime import timedelta

import pytest

from gateway.context import AgentContext, new_context
from gateway.engine import ContextClaim, ToolCall
from gateway.policy import ANONYMOUS
from tests.support.contexts import Apply, delete
from tests.support.engine import NOW, Answer, stage

ID = "ocp-00000000"
CALL = ToolCall(
    name="listItems", arguments={}, principal=ANONYMOUS, claim=ContextClaim(explicit_id=ID)
)
ANOTHER = new_context(ID, "another", NOW + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("next_one", "reason", "said"),
    [
        (None, "deleted", "its context was deleted meanwhile"),
        (ANOTHER, "conflict", "too many others were at its context, or another one took its place"),
    ],
    ids=["gone", "begun_anew"],
)
async def test_the_entry_of_a_call_does_not_outlive_the_context_that_it_read(
    next_one: AgentContext | None, reason: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    on = stage()
    assert (await on.gateway.call_tool(CALL)).recorded
    hold = asyncio.Event()
    on.client.answer = Answer(hold=hold)
    on.client.asked.clear()
    async with asyncio.TaskGroup() as group:
        call = group.create_task(on.gateway.call_tool(CALL))
        await on.client.asked.wait()
        await on.store.inner.update(ANONYMOUS, ID, delete())
        await on.store.inner.update(ANONYMOUS, ID, Apply(step=lambda _now: next_one))
        hold.set()

    assert not call.result().recorded
    assert await on.context(ID) == next_one
    assert on.gateway.unrecorded == {reason: 1}
    assert await on.gateway.store_is_up()
    assert caplog.messages == [f"a call was not recorded: {said} (1 so far)"]
