from collections.abc import Mapping
from itertools import permutations
from pathlib import Path

import orjson
import pytest
from prance.util.resolver import (  # type: ignore[import-untyped]
    RESOLVE_INTERNAL,
    RefResolver,
)

from gateway.catalog import ApiCatalog, Catalog, digest_of
from gateway.errors import UnknownApi
from gateway.openapi import canonical, read_description
from gateway.sources import parse
from tests.support.documents import (
    METHODS,
    catalog,
    document,
    only_tool,
    operation,
    query,
)

DEMO = Path(__file__).parents[2] / "gateway" / "demo" / "demo.yaml"


def api(name: str, *operation_ids: str) -> ApiCatalog:
    paths = {f"/{name}/{i}": {"get": operation(operationId=i)} for i in operation_ids}
    return catalog(document(paths), name)


APIS = (api("gitlab", "getUser", "listRunners"), api("github", "getUser"), api("a", "x"))


def test_the_order_of_apis_changes_nothing() -> None:
    found = [Catalog(order) for order in permutations(APIS)]
    assert {c.digest for c in found} == {found[0].digest}
    for each in found:
        assert list(each.view().tools) == ["githubGetUser", "gitlabGetUser", "listRunners", "x"]
        assert list(each.apis) == ["a", "github", "gitlab"]


def test_tools_are_in_name_order_whatever_the_order_of_the_document() -> None:
    made = api("one", "zoo", "ant", "Bee", "cat10", "cat9")
    expected = ["ant", "bee", "cat10", "cat9", "zoo"]
    assert list(made.tools) == expected
    assert list(Catalog([made]).view().tools) == expected
    assert list(Catalog([made]).view("one").tools) == expected


def test_a_catalog_keeps_what_was_found_in_every_api() -> None:
    broken = document({"/a": None})
    made = Catalog([catalog(broken, "b"), catalog(broken, "a")])
    assert [(p.api, p.pointer) for p in made.problems] == [("a", "/paths/~1a"), ("b", "/paths/~1a")]


def test_a_view_of_one_api_never_prefixes() -> None:
    assert list(Catalog(APIS).view("github").tools) == ["getUser"]


def test_a_single_api_is_not_prefixed_in_the_view_of_all() -> None:
    made = Catalog([APIS[0]])
    assert list(made.view().tools) == list(made.view("gitlab").tools)


@pytest.mark.parametrize(
    ("view", "name", "operation_id"),
    [
        (None, "listRunners", "listRunners"),
        (None, "gitlabListRunners", "listRunners"),
        (None, "githubGetUser", "getUser"),
        (None, "getUser", None),
        ("github", "getUser", "getUser"),
        ("github", "githubGetUser", "getUser"),
        ("github", "listRunners", None),
        ("a", "X", None),
    ],
)
def test_a_tool_is_found_by_its_published_or_prefixed_name(
    view: str | None, name: str, operation_id: str | None
) -> None:
    found = Catalog(APIS).view(view).find(name)
    assert (found.operation_id if found else None) == operation_id


def test_a_prefixed_name_never_hides_a_published_one() -> None:
    """`git` has `hubGet`, whose prefixed name is another API's own published name."""
    made = Catalog([api("git", "hubGet"), api("other", "gitHubGet")])
    found = made.view().find("gitHubGet")
    assert found is not None
    assert found.api == "other"


def test_an_unknown_api_has_no_view() -> None:
    with pytest.raises(UnknownApi):
        Catalog(APIS).view("nobody")


def test_a_catalog_of_nothing_is_empty_and_has_a_digest() -> None:
    made = Catalog([])
    assert dict(made.view().tools) == {}
    assert len(made.digest) == 64


def test_mending_a_skipped_operation_renames_nobody() -> None:
    good = {"/a": {"get": operation(operationId="list-items")}}
    broken = {"/b": {"get": operation(operationId="list_items", parameters=[5])}}
    mended = {"/b": {"get": operation(operationId="list_items")}}
    assert list(catalog(document({**good, **broken})).tools) == ["getA"]
    assert list(catalog(document({**good, **mended})).tools) == ["getA", "getB"]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"summary": "Other"}, id="summary"),
        pytest.param({"description": "Other"}, id="description"),
        pytest.param({"tags": ["a"]}, id="tags"),
        pytest.param({"deprecated": True}, id="deprecated"),
        pytest.param({"operationId": "get-a"}, id="operationId"),
        pytest.param({"parameters": [query("q", {"maxLength": 5})]}, id="schema"),
        pytest.param({"parameters": [query("q", {}, required=True)]}, id="required"),
        pytest.param({"parameters": [query("q", {}, explode=False)]}, id="explode"),
        pytest.param(
            {"parameters": [query("q", {}, allowReserved=True)]}, id="reserved characters"
        ),
        pytest.param({"requestBody": {"content": {"text/plain": {}}}}, id="body"),
        pytest.param(
            {
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"type": "string"}}}}
                }
            },
            id="answer",
        ),
    ],
)
def test_a_digest_changes_with_what_callers_rely_on(change: Mapping[str, object]) -> None:
    base = operation(parameters=[query("q", {})])
    before = only_tool(document({"/a": {"get": base}}))
    after = only_tool(document({"/a": {"get": {**base, **change}}}))
    assert after.digest != before.digest
    assert (
        Catalog([catalog(document({"/a": {"get": {**base, **change}}}))]).digest
        != Catalog([catalog(document({"/a": {"get": base}}))]).digest
    )


@pytest.mark.parametrize(
    "change",
    [{"x-note": 1}, {"externalDocs": {"url": "http://x"}}, {"callbacks": {}}],
    ids=lambda change: next(iter(change)),
)
def test_a_digest_does_not_change_with_what_callers_never_see(change: Mapping[str, object]) -> None:
    before = only_tool(document({"/a": {"get": operation()}}))
    after = only_tool(document({"/a": {"get": {**operation(), **change}}}))
    assert after.digest == before.digest


def test_canonical_json_is_sorted_dense_utf_8() -> None:
    assert canonical({"b": [1, None], "a": "é"}) == '{"a":"é","b":[1,null]}'.encode()
    assert canonical({"b": 2**70, "a": "é"}) == f'{{"a":"é","b":{2**70}}}'.encode()
    # By an implementation of our own digest's recipe in another tool: printf '{}' | sha256sum.
    assert digest_of({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@pytest.mark.parametrize(
    ("summary", "description", "expected"),
    [
        ("S", "D", "S\n\nD"),
        ("S", "S and more", "S and more"),
        ("S", None, "S"),
        (None, "D", "D"),
        ("  ", "", "GET /a"),
        (5, ["x"], "GET /a"),
    ],
)
def test_a_description_is_never_empty(summary: object, description: object, expected: str) -> None:
    item = {"get": operation(summary=summary, description=description)}
    assert only_tool(document({"/a": item})).description == expected


def test_the_demo_has_the_operations_and_parameters_that_prance_sees() -> None:
    root = parse(DEMO.read_bytes())
    assert isinstance(root, dict)
    resolver = RefResolver(
        root,
        DEMO.as_uri(),
        resolve_types=RESOLVE_INTERNAL,
        recursion_limit_handler=lambda *_: {},
    )
    resolver.resolve_references()
    theirs = {
        (method.upper(), path): {
            (p["name"], p["in"], p.get("required", False), orjson.dumps(p["schema"]))
            for p in [*item.get("parameters", []), *item[method].get("parameters", [])]
        }
        for path, item in resolver.specs["paths"].items()
        for method in METHODS
        if method in item
    }
    ours = {
        (o.method, o.path): {
            (p.name, p.location, p.required, orjson.dumps(p.schema)) for p in o.parameters
        }
        for o in read_description(root, api="demo").operations
    }
    assert ours == theirs
