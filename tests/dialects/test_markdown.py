"""A tool as a page."""

import json

import pytest

from gateway.catalog import NativeTool
from gateway.dialects import native_page, tool_page
from gateway.dialects.markdown import MAX_SCHEMA
from tests.support.tools import TEXT, Json, parameter, tool_of

ANSWER: Json = {
    "200": {
        "description": "ok",
        "content": {"application/json": {"schema": {"type": "object", "title": "Thing"}}},
    }
}


def page(*parameters: Json, **rest: object) -> str:
    tool = tool_of(*parameters, **rest)  # type: ignore[arg-type]
    return tool_page("use", tool, tool.input_schema)


def rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_it_says_what_the_tool_does_and_where() -> None:
    text = page(path="/things", responses=ANSWER)
    assert text.startswith("# use\n\n`GET /things` of api\n\nGET /things\n\nIt takes no arguments.")
    assert '"title": "Thing"' in text.partition("## Answer")[2]


def test_arguments_have_places_types_and_values() -> None:
    text = page(
        parameter("id", "path", {"type": "integer"}),
        parameter("sort-by", "query", {"enum": ["a", "b"], "description": "How | to\nsort"}),
        parameter("X-Any", "header", True),
        path="/things/{id}",
    )
    assert rows(text) == [
        ["`id`", "path", "integer", "yes", ""],
        ["`sort_by`", "query, as `sort-by`", "string", "", "How \\| to sort Such as `a`, `b`."],
        ["`X_Any`", "header, as `X-Any`", "any", "", ""],
    ]


def test_the_example_has_what_is_required() -> None:
    text = page(
        parameter("id", "path", {"type": "integer", "examples": [7]}),
        parameter("q", "query", TEXT),
        path="/things/{id}",
    )
    block = text.partition("## Example")[2].partition("```json\n")[2].partition("\n```")[0]
    assert json.loads(block) == {"name": "use", "arguments": {"id": 7}}


def test_an_answer_that_is_not_described_is_said_to_be_so() -> None:
    assert "does not say what it answers" in page()


def test_no_text_ends_a_block() -> None:
    text = page(parameter("q", "query", {"type": "string", "default": "```\n# no heading"}))
    block = text.partition("## Input schema")[2].partition("## Answer")[0].strip()
    assert block.startswith("````json\n")
    assert block.endswith("\n````")
    assert block.count("````") == 2


def test_a_schema_that_is_too_large_is_not_shown() -> None:
    values = [str(number) * 10 for number in range(MAX_SCHEMA // 10)]
    text = page(parameter("q", "query", {"enum": values}))
    assert f"larger than {MAX_SCHEMA:,} bytes" in text
    assert len(text) < 4_000


@pytest.mark.parametrize("schema", [{"type": "object"}, {}])
def test_a_tool_of_the_gateway_s_own_has_a_page(schema: Json) -> None:
    tool = NativeTool(name="own", title="Own", description="It does.", input_schema=schema)
    assert native_page(tool).startswith("# own\n\nIt does.\n\n## Input schema\n\n```json\n")
