"""Schemas of one description compiled alone, and together once they are many."""

import gc
import weakref
from collections.abc import Callable, Mapping

import pytest

import gateway.traffic.everything as everything_module
import gateway.traffic.pools as pools_module
from gateway.errors import DescriptionError
from gateway.openapi import Direction
from gateway.traffic import Book
from gateway.traffic.everything import all_bodies
from gateway.traffic.pools import MAX_EXPLAINERS, Pool
from tests.support.documents import catalog, document, operation
from tests.support.traffic_shop import DOCUMENT, judge_answer, judge_request, pairs

NAME = {"type": "string"}
COUNT = {"type": "integer"}
JSON = (("Content-Type", "application/json"),)
LEFT = (*JSON, ("X-Left", "1"))


def nothing() -> dict[str, object]:
    return {}


def a_and_b() -> dict[str, object]:
    return {"properties": {"/a": {"$ref": "#/$defs/A"}, "/b": COUNT}, "$defs": {"A": NAME}}


def does_not_compile() -> dict[str, object]:
    return {"properties": {"/a": {"$ref": "#/$defs/nowhere"}}}


@pytest.mark.parametrize("alone_bytes", [0, 1_000_000], ids=["together", "alone"])
@pytest.mark.parametrize("everything", [nothing, a_and_b, does_not_compile])
def test_each_check_keeps_its_own_schema(
    everything: Callable[[], dict[str, object]],
    alone_bytes: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pools_module, "ALONE_BYTES", alone_bytes)
    pool = Pool(everything)
    schema: Mapping[str, object] = {"$ref": "#/$defs/A", "$defs": {"A": NAME}}
    first, second = pool.add("/body", "/a", schema), pool.add("/body", "/b", COUNT)
    third = pool.add("", "/c", COUNT)
    checks = (first, second, third)
    assert [c.is_valid("x") for c in checks] == [True, False, False]
    assert [c.is_valid(1) for c in checks] == [False, True, True]
    assert [(f.pointer, f.message) for f in second.faults("x")] == [
        ("/body", "expected integer, received string")
    ]
    assert [f.pointer for f in third.faults("x")] == [""]


def test_what_is_compiled_together_is_held_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Pool(a_and_b)
    early = pool.add("", "/a", NAME)
    monkeypatch.setattr(pools_module, "ALONE_BYTES", 0)
    pool.add("", "/b", COUNT)
    pool.add("", "/c", COUNT)
    assert pool._alone.keys() == {"/c"}
    assert early.is_valid("x")
    assert not early.is_valid(1)


def test_the_validators_that_explain_are_bounded() -> None:
    pool = Pool(nothing)
    checks = [pool.add("", f"/{n}", COUNT) for n in range(MAX_EXPLAINERS + 3)]
    for _ in range(2):
        assert all(check.faults("x") for check in checks)
    assert len(pool._explainers) == MAX_EXPLAINERS


def test_what_does_not_compile_is_named() -> None:
    with pytest.raises(DescriptionError):
        Pool(nothing).add("", "/a", {"$ref": "#/$defs/nowhere"})


@pytest.mark.parametrize("alone_bytes", [0, 1_000_000], ids=["together", "alone"])
def test_verdicts_are_the_same_either_way(
    alone_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools_module, "ALONE_BYTES", alone_bytes)
    tools, book = catalog(DOCUMENT).tools, Book()
    found = judge_request(tools["add"], "/v1/items", JSON, b'{"name": 1}', book=book)
    assert [p for p, _ in pairs(found)] == ["/body/name", "/body/secret"]
    found = judge_answer(tools["get"], 200, LEFT, b'{"id": "x", "name": "a"}', book=book)
    assert [p for p, _ in pairs(found)] == ["/body/id"]
    assert judge_answer(tools["get"], 404, JSON, b'{"error": 1}', book=book).is_sound


def test_everything_is_all_bodies_that_are_usable() -> None:
    schemas = catalog(DOCUMENT).tools["get"].schemas
    sent = all_bodies(schemas, Direction.REQUEST)["properties"]
    answered = all_bodies(schemas, Direction.RESPONSE)["properties"]
    assert isinstance(sent, dict)
    assert isinstance(answered, dict)
    assert len(sent) == 6
    assert [place.rpartition("/responses/")[2].split("/")[0] for place in sorted(answered)] == [
        "Fault",
        "200",
        "200",
        "204",
    ]


def test_everything_of_swagger_2_and_of_what_leads_nowhere() -> None:
    old = {
        "swagger": "2.0",
        "info": {"title": "t", "version": "1"},
        "paths": {
            "/a": {
                "post": {
                    "parameters": [{"name": "b", "in": "body", "schema": COUNT}],
                    "responses": {
                        "200": {"description": "", "schema": NAME},
                        "404": {"$ref": "#/responses/Nowhere"},
                        "500": {"description": "", "schema": {"$ref": "#/definitions/Nowhere"}},
                    },
                }
            },
        },
    }
    schemas = next(iter(catalog(old).tools.values())).schemas
    assert all_bodies(schemas, Direction.REQUEST) == {
        "properties": {"/paths/~1a/post/parameters/0/schema": COUNT}
    }
    assert all_bodies(schemas, Direction.RESPONSE) == {
        "properties": {"/paths/~1a/post/responses/200/schema": NAME}
    }


def test_too_many_bodies_are_compiled_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(everything_module, "MAX_BODIES", 1)
    root = document({f"/{n}": {"post": operation(body=COUNT)} for n in range(2)})
    schemas = next(iter(catalog(root).tools.values())).schemas
    assert all_bodies(schemas, Direction.REQUEST) == {}


def test_answers_that_are_described_alike_are_compiled_once() -> None:
    tools, book = catalog(DOCUMENT).tools, Book()
    assert book.read_answer(tools["get"], 404) is book.read_answer(tools["get"], 418)
    assert book.read_answer(tools["add"], 200) is book.read_answer(tools["add"], 599)
    assert book.read_answer(tools["get"], 206) is book.read_answer(tools["get"], 200)
    assert book.read_answer(tools["get"], 500) is None
    assert book.knows_answer(tools["get"], 500)
    assert not book.knows_answer(tools["get"], 501)


def test_rules_go_with_their_description() -> None:
    book = Book()
    tools = dict(catalog(DOCUMENT).tools)
    for tool in tools.values():
        book.read_request(tool)
        book.read_answer(tool, 200)
    gone = weakref.ref(tools["get"].schemas)
    del tool, tools
    gc.collect()
    assert gone() is None
    assert not book._requests
    assert not book._shared
