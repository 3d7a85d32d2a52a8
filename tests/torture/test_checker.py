"""The judge sees what it is there for."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from gateway.interfaces import Stored
from tests.support.checker import Heard, Ledger, Verdict, judge
from tests.support.contexts import a_context, append, mark_of

ID = "ocp-00000000"
HEARD = {"told": Heard.ACKNOWLEDGED, "denied": Heard.DENIED, "silent": Heard.NOTHING}


def kept(marks: Sequence[str]) -> Stored:
    context = replace(a_context(ID), current_goal=ID)
    for mark in marks:
        context = append(mark).apply(context) or context
    return Stored(context=context, version=len(marks))


def verdict_on(stored: Stored | None) -> Verdict:
    ledger = Ledger()
    for mark, heard in HEARD.items():
        ledger.ask(ID, mark)
        ledger.hear(ID, mark, heard)
    return judge(ledger, {ID: stored}, mark_of)


@pytest.mark.parametrize(
    ("marks", "unpromised"),
    [(["told"], 0), (["denied", "told"], 1), (["told", "silent", "denied"], 2)],
    ids=["promised", "denied_but_there", "all_there"],
)
def test_what_was_not_promised_may_be_there(marks: list[str], unpromised: int) -> None:
    verdict = verdict_on(kept(marks))
    assert verdict.faults == ()
    assert verdict.present == len(marks)
    assert verdict.unpromised.total() == unpromised


@pytest.mark.parametrize(
    ("marks", "fault"),
    [
        (["denied"], "told was acknowledged and is lost"),
        (["told", "told"], "told is there 2 times"),
        (["told", "silent", "silent"], "silent is there 2 times"),
        (["told", "stranger"], "stranger belongs elsewhere"),
    ],
    ids=["lost", "acknowledged_twice", "unheard_twice", "of_another_context"],
)
def test_a_fault_of_the_entries_is_named(marks: list[str], fault: str) -> None:
    assert verdict_on(kept(marks)).faults == (f"{ID}: {fault}",)


def test_a_context_that_is_gone_has_lost_its_entries() -> None:
    assert verdict_on(None).faults == (f"{ID}: told was acknowledged and is lost",)


def test_a_context_must_bear_its_own_tag_and_count_its_entries() -> None:
    stored = kept(["told", "silent"])
    session = stored.context.session
    assert session is not None
    other = replace(
        stored.context, current_goal="ocp-1", session=replace(session, interaction_count=3)
    )
    assert verdict_on(Stored(context=other, version=1)).faults == (
        f"{ID}: holds {ID} with the goal ocp-1",
        f"{ID}: counts 3 of 2 entries",
        f"{ID}: has version 1 after 2 entries",
    )
