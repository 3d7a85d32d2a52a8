"""Questions to clients of earlier eras."""

import json

import pytest

from gateway.errors import InputRequest
from gateway.mcp import QuestionIds, question
from gateway.mcp.questions import QUESTION_BYTES
from gateway.mcp.revisions import V2025_06_18, V2025_11_25, Revision
from tests.support.mcp_core import KEY

SESSION = b"session-one."
NONCE = bytes(range(QUESTION_BYTES))
IDS = QuestionIds((KEY,))


def test_a_session_knows_its_questions() -> None:
    assert IDS.is_of(SESSION, IDS.mint(SESSION, NONCE))


def test_an_older_key_still_verifies() -> None:
    older = IDS.mint(SESSION, NONCE)
    assert QuestionIds((b"a newer key of thirty-two bytes.", KEY)).is_of(SESSION, older)


@pytest.mark.parametrize(
    "question_id",
    [
        IDS.mint(b"session-two.", NONCE),
        QuestionIds((b"another key of thirty-two bytes.",)).mint(SESSION, NONCE),
        IDS.mint(SESSION, NONCE) + "A",
        IDS.mint(SESSION, NONCE).replace("q.", "r."),
        "q..",
        "",
        7,
        None,
        [],
    ],
    ids=str,
)
def test_others_are_not_its_own(question_id: object) -> None:
    assert not IDS.is_of(SESSION, question_id)


def asked(request: InputRequest, revision: Revision) -> dict[str, object]:
    value = json.loads(question("q.1", request, revision))
    assert isinstance(value, dict)
    return value


FIELDS = {
    "plain": {"type": "string", "enum": ["a", "b"], "default": "a"},
    "titled": {"type": "string", "oneOf": [{"const": "a", "title": "A"}, {"const": "b"}]},
    "sure": {"type": "boolean", "default": True},
}
FORM = InputRequest(
    method="elicitation/create",
    params={
        "mode": "form",
        "message": "Which?",
        "requestedSchema": {"type": "object", "properties": FIELDS, "required": ["sure"]},
    },
)


def test_a_form_is_asked_as_it_is() -> None:
    message = asked(FORM, V2025_11_25)
    assert message["params"] == FORM.params
    assert (message["jsonrpc"], message["id"], message["method"]) == ("2.0", "q.1", FORM.method)


def test_a_form_before_2025_11_25_has_neither_modes_nor_titled_choices() -> None:
    assert asked(FORM, V2025_06_18)["params"] == {
        "message": "Which?",
        "requestedSchema": {
            "type": "object",
            "properties": {
                "plain": {"type": "string", "enum": ["a", "b"]},
                "titled": {"type": "string", "enum": ["a", "b"], "enumNames": ["A", "b"]},
                "sure": {"type": "boolean", "default": True},
            },
            "required": ["sure"],
        },
    }


def test_a_url_has_an_id_where_the_revision_wants_one() -> None:
    url = {"mode": "url", "message": "Sign in", "url": "https://id.example/1"}
    request = InputRequest(method="elicitation/create", params=url)
    assert asked(request, V2025_11_25)["params"] == {**url, "elicitationId": "q.1"}


def test_roots_are_asked_for_without_parameters() -> None:
    message = asked(InputRequest(method="roots/list", params={}), V2025_11_25)
    assert "params" not in message
