"""Every client of the matrix lists the tools, calls them, and is told what was wrong."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.conversing import Case, Shop, Told, converse, shop_for_clients
from tests.interop.matrix import CLIENTS
from tests.support.mcp_judge import judge_message
from tests.support.mcp_relay import revisions_spoken

CASES = tuple(Case(client=client, way=way) for client in CLIENTS for way in client.ways)
CALLS = (
    {"tool": "getItem", "arguments": {"id": "lamp"}},
    {"tool": "getItem", "arguments": {"id": "missing"}},
    {"tool": "addItem", "arguments": {"name": 7, "colour": "red"}},
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with shop_for_clients(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


@pytest.fixture(scope="module", params=CASES, ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    case = request.param
    assert isinstance(case, Case)
    return case


@pytest.fixture(scope="module")
def told(case: Case, shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """One conversation, which all tests of the case look at."""
    return converse(case, shop, tmp_path_factory.mktemp("home"), calls=CALLS)


def test_it_lists_the_tools(told: Told) -> None:
    assert sorted(told.tools) == ["addItem", "getItem", "listItems"]


def test_its_call_reaches_the_api(told: Told) -> None:
    result, *_ = told.results

    assert not result["is_error"]
    assert "GET /items/lamp HTTP/1.1" in str(result["text"])
    assert told.seen[0].request_line == "GET /items/lamp HTTP/1.1"


def test_a_404_of_the_api_is_an_error_result(told: Told) -> None:
    _, result, _ = told.results

    assert told.seen[1].request_line == "GET /items/missing HTTP/1.1"
    assert result["is_error"]
    for part in ("404", "GET /items/{id}", "no such item"):
        assert part in str(result["text"])


def test_wrong_arguments_are_named_and_nothing_is_sent(told: Told) -> None:
    *_, result = told.results

    assert result["is_error"]
    for part in ("/name: expected string", "/colour: is not known"):
        assert part in str(result["text"])
    assert len(told.seen) == 2


@pytest.mark.parametrize("method", ["tools/list", "tools/call"])
def test_it_speaks_the_revision_that_it_is_there_for(case: Case, told: Told, method: str) -> None:
    assert revisions_spoken(told.exchanges, method) == {case.client.revision}


def test_all_that_it_hears_is_as_its_revision_has_it(case: Case, told: Told) -> None:
    assert judged(told, case.client.revision) > len(CALLS)


@pytest.mark.parametrize("case", [case for case in CASES if case.client.can_be_asked], ids=str)
def test_it_is_told_of_progress_and_its_user_answers_a_question(
    case: Case, shop: Shop, tmp_path: Path
) -> None:
    calls = [{"tool": "addItem", "arguments": {"name": "Lamp"}}]

    told = converse(case, shop, tmp_path, calls=calls, answer={"colour": "red"})

    (result,) = told.results
    assert not result["is_error"], result
    assert json.loads(str(result["text"])) == {"action": "accept", "content": {"colour": "red"}}
    assert told.questions == ["Which colour?"]
    heard = [answer for each in told.exchanges for answer in each.answered]
    assert [each.get("method") for each in heard].count("notifications/progress") == 1
    assert [json.loads(seen.body).get("type") for seen in told.seen] == [None, "continue"]
    assert revisions_spoken(told.exchanges, "tools/call") == {case.client.revision}
    assert judged(told, case.client.revision) > len(calls)


def judged(told: Told, revision: str) -> int:
    """How many messages of the gateway there were. Fails for one that breaks the protocol."""
    heard = [(answer, list(each.asked)) for each in told.exchanges for answer in each.answered]
    for answer, asked in heard:
        judge_message(answer, revision=revision, asked=asked)
    return len(heard)
