"""What the suite only warns of when a caller answers badly, and what it does not look at."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.conformance.endpoint import Answer, Endpoint

GREETING = "test_input_required_result_elicitation"
ALICE = {"action": "accept", "content": {"name": "Alice"}}


def asks_for(answer: Answer) -> list[str]:
    """The keys of the questions, none when the call is complete."""
    requests = answer.result.get("inputRequests", {})
    assert isinstance(requests, dict)
    assert (answer.result["resultType"] == "input_required") == bool(requests)
    return list(requests)


async def test_a_question_is_asked_and_its_answer_completes_the_call(endpoint: Endpoint) -> None:
    assert asks_for(await endpoint.call(GREETING)) == ["user_name"]

    answer = await endpoint.call(GREETING, inputResponses={"user_name": ALICE})
    assert answer.result["resultType"] == "complete"
    assert answer.texts == ["Hello, Alice!"]


async def test_an_answer_to_another_question_is_no_answer(endpoint: Endpoint) -> None:
    """missing-input-response: it is asked again, without an error."""
    answer = await endpoint.call(GREETING, inputResponses={"wrong_key": ALICE})

    assert asks_for(answer) == ["user_name"]


async def test_further_answers_are_ignored(endpoint: Endpoint) -> None:
    """ignore-extra-params: the call is complete."""
    answer = await endpoint.call(
        GREETING,
        inputResponses={
            "user_name": ALICE,
            "unknown_extra_key": {"action": "accept", "content": {"foo": "bar"}},
            "another_unexpected": {"action": "accept", "content": {"baz": 123}},
        },
    )

    assert answer.texts == ["Hello, Alice!"]


@pytest.mark.parametrize(
    "value", [12345, None, "Alice", [ALICE], {}, {"action": "shrug"}], ids=repr
)
async def test_an_answer_of_no_known_shape_is_no_answer(endpoint: Endpoint, value: object) -> None:
    """validate-input, first half."""
    answer = await endpoint.call(GREETING, inputResponses={"user_name": value})

    assert asks_for(answer) == ["user_name"]


@pytest.mark.parametrize("responses", [None, 12345, "user_name", [ALICE]], ids=repr)
async def test_answers_that_are_no_object_are_refused(
    endpoint: Endpoint, responses: object
) -> None:
    """validate-input, second half."""
    answer = await endpoint.call(GREETING, inputResponses=responses)

    assert (answer.status, answer.error["code"]) == (400, -32602)


async def test_each_round_has_a_state_of_its_own(endpoint: Endpoint) -> None:
    tool = "test_input_required_result_multi_round"
    first = await endpoint.call(tool)
    second = await endpoint.call(
        tool, inputResponses={"step1": ALICE}, requestState=first.result["requestState"]
    )
    third = await endpoint.call(
        tool,
        inputResponses={"step2": {"action": "accept", "content": {"color": "blue"}}},
        requestState=second.result["requestState"],
    )

    assert (asks_for(first), asks_for(second)) == (["step1"], ["step2"])
    assert first.result["requestState"] != second.result["requestState"]
    assert third.texts == ["Alice likes blue."]


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(lambda state: f"{state}-TAMPERED", id="appended"),
        pytest.param(lambda state: state[:-2], id="cut"),
        pytest.param(lambda state: state[:-1] + ("A" if state[-1] != "A" else "B"), id="changed"),
        pytest.param(lambda _: "", id="empty"),
        pytest.param(lambda _: {"asked": "confirm"}, id="in plain"),
    ],
)
async def test_a_state_that_was_changed_is_refused(
    endpoint: Endpoint, forge: Callable[[str], object]
) -> None:
    tool = "test_input_required_result_tampered_state"
    state = (await endpoint.call(tool)).result["requestState"]
    assert isinstance(state, str)
    answer = await endpoint.call(
        tool,
        inputResponses={"confirm": {"action": "accept", "content": {"ok": True}}},
        requestState=forge(state),
    )

    assert (answer.status, answer.error["code"]) == (400, -32602)


async def test_only_who_can_be_asked_is_asked(endpoint: Endpoint) -> None:
    tool = "test_input_required_result_capabilities"

    assert asks_for(await endpoint.call(tool)) == ["name", "capital"]
    assert asks_for(await replace(endpoint, capabilities={"sampling": {}}).call(tool)) == [
        "capital"
    ]


async def test_a_prompt_may_ask_too(endpoint: Endpoint) -> None:
    prompt = {"name": "test_input_required_result_prompt"}
    asked = await endpoint.ask("prompts/get", prompt)
    answer = {"action": "accept", "content": {"context": "tea"}}
    told = await endpoint.ask("prompts/get", {**prompt, "inputResponses": {"user_context": answer}})

    assert asks_for(asked) == ["user_context"]
    assert "tea" in str(told.result["messages"])
