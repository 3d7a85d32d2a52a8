"""Which arguments headers may repeat."""

import pytest

from gateway.catalog import ApiCatalog, ToolOverride, read_catalog
from gateway.openapi import read_description
from tests.support.tools import DONE, parameter

PATHS = {
    "/pets/{id}": {
        "get": {
            "operationId": "getPet",
            "parameters": [
                parameter("id", "path", {"type": "integer"}),
                parameter("region", "query", {"type": "string", "description": "Where."}),
                parameter("tame", "query", {"type": "boolean"}),
                parameter("weight", "query", {"type": "number"}),
                parameter("maybe", "query", {"type": ["string", "null"]}),
                parameter("tags", "query", {"type": "array", "items": {"type": "string"}}),
                parameter("kind", "query", {"$ref": "#/components/schemas/Kind"}),
                parameter("any", "query", True),
            ],
            "responses": DONE,
        }
    }
}


def read(headers: dict[str, str], **more: object) -> ApiCatalog:
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Pets", "version": "1"},
        "paths": PATHS,
        "components": {"schemas": {"Kind": {"type": "string"}}},
    }
    override = ToolOverride(mcp_headers=headers, **more)  # type: ignore[arg-type]
    return read_catalog(read_description(document, api="pets"), overrides={"getPet": override})


def test_texts_integers_and_booleans_may_be_repeated() -> None:
    headers = {"id": "Pet-Id", "region": "Region", "tame": "Tame"}
    catalog = read(headers)
    assert catalog.problems == ()
    assert catalog.tools["getPet"].mcp_headers == headers


@pytest.mark.parametrize(
    ("headers", "pointer", "reason"),
    [
        ({"nothing": "X"}, "nothing", "there is no argument of this name"),
        ({"weight": "X"}, "weight", "the argument is no string or integer or boolean"),
        ({"maybe": "X"}, "maybe", "the argument is no string or integer or boolean"),
        ({"tags": "X"}, "tags", "the argument is no string or integer or boolean"),
        ({"any": "X"}, "any", "the argument is no string or integer or boolean"),
        ({"tame": "a b"}, "tame", "'a b' is no part of a header's name"),
        ({"tame": ""}, "tame", "'' is no part of a header's name"),
        ({"tame": "Ä"}, "tame", "'Ä' is no part of a header's name"),
    ],
    ids=str,
)
def test_what_cannot_be_repeated_is_reported_and_left_out(
    headers: dict[str, str], pointer: str, reason: str
) -> None:
    catalog = read({"region": "Region", **headers})
    (problem,) = catalog.problems
    assert problem.severity == "warning"
    assert problem.message == f"configuration: tools/getPet/mcp_headers/{pointer}: {reason}"
    assert catalog.unapplied == (problem,)
    assert catalog.tools["getPet"].mcp_headers == {"region": "Region"}


def test_two_arguments_cannot_share_a_header() -> None:
    catalog = read({"region": "Where", "id": "Pet", "tame": "WHERE"})
    assert catalog.tools["getPet"].mcp_headers == {"id": "Pet"}
    assert [problem.message.rpartition(": ")[2] for problem in catalog.problems] == [
        "Where is given to more than one argument",
        "WHERE is given to more than one argument",
    ]


def test_what_callers_do_not_give_is_not_repeated() -> None:
    catalog = read({"region": "Region"}, set={"region": "eu"})
    assert catalog.tools["getPet"].mcp_headers == {}
    (problem,) = catalog.problems
    assert "there is no argument of this name" in problem.message


def test_headers_are_part_of_what_a_caller_relies_on() -> None:
    plain, other = read({}).tools["getPet"], read({"weight": "X"}).tools["getPet"]
    assert plain.digest == other.digest
    assert read({"region": "Region"}).tools["getPet"].digest != plain.digest
