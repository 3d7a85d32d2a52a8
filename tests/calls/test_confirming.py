"""What a person reads before a call, and what their consent is bound to."""

import json
from dataclasses import replace

import pytest

from gateway.calls import confirmation_digest, confirmation_request, target_digest
from gateway.catalog import Tool, ToolOverride
from tests.support.tools import TEXT, api_of, parameter

ITEM = {
    "operationId": "moveItem",
    "summary": "Move it",
    "parameters": [
        parameter("shop", "path", TEXT),
        parameter("id", "path", TEXT),
        parameter("note", "query"),
        parameter("X-Token", "header", TEXT),
        parameter("pin", "query", {"type": "string", "format": "password"}),
    ],
}


def tool(**override: object) -> Tool:
    (made,) = api_of({"/{shop}/items/{id}": {"put": ITEM}}, name="shop").tools.values()
    return replace(made, override=ToolOverride(**override))  # type: ignore[arg-type]


def message(arguments: dict[str, object], **override: object) -> str:
    request = confirmation_request(tool(**override), arguments)
    assert request.method == "elicitation/create"
    text = request.params["message"]
    assert isinstance(text, str)
    return text


def test_the_question() -> None:
    assert message({"shop": "a b", "id": "7/8", "note": "as is", "X_Token": "t", "pin": "1"}) == (
        "Send PUT /a%20b/items/7%2F8 to shop?\n"
        "Tool: moveItem (Move it)\n"
        '- note: "as is"\n'
        "- X_Token: (not shown)\n"
        "- pin: (not shown)"
    )


def test_what_the_configuration_fixes_is_not_shown() -> None:
    text = message({"id": "7"}, set={"shop": "secret-shop", "note": "secret-note"})
    assert text.splitlines()[0] == "Send PUT /{shop}/items/7 to shop?"
    assert "secret" not in text


def test_one_thing_is_asked() -> None:
    schema = confirmation_request(tool(), {}).params["requestedSchema"]
    assert isinstance(schema, dict)
    assert schema["required"] == ["confirm"]
    assert schema["properties"]["confirm"]["type"] == "boolean"
    assert "default" not in schema["properties"]["confirm"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("x\n\nTool: harmless", r'"x\n\nTool: harmless"'),
        ("a\u202eb", r'"a\u202eb"'),
        ("\U000e0041", r'"\U000e0041"'),
        ({"a": [1, 2.5, None]}, '{"a": [1, 2.5, null]}'),
        ("ä", '"ä"'),
    ],
    ids=["lines", "bidirectional", "tag", "object", "letters"],
)
def test_nothing_in_a_value_passes_for_the_question(value: object, shown: str) -> None:
    text = message({"shop": "s", "id": "7", "note": value})
    assert text.splitlines()[2:] == [f"- note: {shown}"]


@pytest.mark.parametrize(
    "value", ["x" * 10_000, ["x"] * 10_000, {"k" * 5_000: 1}], ids=["text", "list", "key"]
)
def test_it_is_bounded(value: object) -> None:
    assert len(message({"shop": "s" * 5_000, "id": "7", "note": value})) < 1_200


def test_many_arguments_are_counted() -> None:
    parameters = [parameter(f"p{i:02}", "query", TEXT) for i in range(30)]
    (made,) = api_of({"/x": {"post": {"parameters": parameters}}}).tools.values()
    request = confirmation_request(made, {f"p{i:02}": "v" for i in range(30)})
    lines = str(request.params["message"]).splitlines()
    assert lines[-1] == "- and 10 more"
    assert len(lines) == 23


class TestDigest:
    def test_of_the_same_call_it_is_the_same(self) -> None:
        assert confirmation_digest(tool(), {"id": "7", "shop": "s"}) == confirmation_digest(
            tool(), json.loads('{"shop": "s", "id": "7"}')
        )

    def test_it_covers_tool_and_arguments(self) -> None:
        made = tool()
        other = replace(made, api="other")
        changed = replace(made, override=ToolOverride(description="Something else"))
        digests = {
            confirmation_digest(made, {"id": "7"}),
            confirmation_digest(made, {"id": "8"}),
            confirmation_digest(made, {"id": "7", "note": None}),
            confirmation_digest(other, {"id": "7"}),
            confirmation_digest(changed, {"id": "7"}),
        }
        assert len(digests) == 5

    def test_of_a_proxied_request_it_covers_all_that_can_be_known(self) -> None:
        digests = {
            target_digest("shop", "DELETE", "/items/7"),
            target_digest("shop", "DELETE", "/items/7?force=1"),
            target_digest("shop", "PUT", "/items/7"),
            target_digest("other", "DELETE", "/items/7"),
        }
        assert len(digests) == 4
