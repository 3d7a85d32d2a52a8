"""Names of tools in a view: given ones win, and no name ever means another tool."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.catalog.naming import RESERVED, operation_names, prefixed
from gateway.catalog.selection import name_fault
from gateway.catalog.views import Key, name_view
from gateway.openapi import Signature

Apis = Mapping[str, Mapping[str, Signature]]


def api(*names: str) -> dict[str, Signature]:
    return {n: Signature(method="GET", path=f"/{n}", operation_id=n) for n in names}


TWO: Apis = {"git": api("getUser", "list"), "lab": api("getUser", "run", "labGet")}

CASES: dict[str, tuple[dict[Key, str], dict[Key, str]]] = {
    "free": ({("git", "list"): "repos"}, {("git", "list"): "repos"}),
    "its own generated name": ({("git", "list"): "list"}, {("git", "list"): "list"}),
    "a name that two APIs share": (
        {("git", "list"): "getUser"},
        {("git", "list"): "list"},  # gitGetUser is the other tool of the same API
    ),
    "another API's own name": ({("git", "list"): "run"}, {("git", "list"): "gitRun"}),
    "another tool's prefixed name": (
        {("git", "list"): "labRun"},
        {("git", "list"): "gitLabRun"},
    ),
    "given twice": (
        {("git", "list"): "all", ("lab", "run"): "all"},
        {("git", "list"): "gitAll", ("lab", "run"): "labAll"},
    ),
    "given twice, and once in the prefixed form": (
        {("git", "list"): "all", ("lab", "run"): "all", ("git", "getUser"): "labAll"},
        {("git", "list"): "gitAll", ("lab", "run"): "run", ("git", "getUser"): "labAll"},
    ),
    "the prefix makes it too long": (
        {("git", "list"): "x" * 64, ("lab", "run"): "x" * 64},
        {
            ("git", "list"): prefixed("git", "x" * 64)[:58] + "6fdf44",
            ("lab", "run"): prefixed("lab", "x" * 64)[:58] + "334e7f",
        },
    ),
}


@pytest.mark.parametrize(("names", "expected"), CASES.values(), ids=CASES)
def test_a_given_name_is_published_unless_another_tool_answers_to_it(
    names: dict[Key, str], expected: dict[Key, str]
) -> None:
    view = name_view(TWO, names)
    assert {key: view.published(key) for key in names} == expected
    assert dict(name_view(dict(reversed(list(TWO.items()))), names).owners) == dict(view.owners)


def test_a_prefix_never_makes_a_name_of_the_gateways_own() -> None:
    apis = {"search": api("list"), "b": api("run")}
    view = name_view(apis, {("search", "list"): "tools", ("b", "run"): "tools"})
    assert view.published(("search", "list")) == "list"
    assert view.published(("b", "run")) == "bTools"


def test_other_tools_keep_their_names() -> None:
    before, after = name_view(TWO, {}), name_view(TWO, {("git", "list"): "getUser"})
    for key in before.generated:
        if key != ("git", "list"):
            assert after.published(key) == before.published(key)


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("repos", ("git", "list")),
        ("list", ("git", "list")),
        ("gitList", ("git", "list")),
        ("gitRepos", ("git", "list")),
        ("getUser", None),
        ("gitGetUser", ("git", "getUser")),
        ("labLabGet", ("lab", "labGet")),
        ("labGet", ("lab", "labGet")),
    ],
)
def test_a_tool_answers_to_all_its_names(name: str, owner: Key | None) -> None:
    assert name_view(TWO, {("git", "list"): "repos"}).owners.get(name) == owner


def test_a_name_that_two_tools_could_mean_means_neither() -> None:
    """`a-b` + `c` and `a` + `bC` make one prefixed name."""
    view = name_view({"a-b": api("c"), "a": api("bC")}, {})
    assert view.owners["aBC"] is None
    assert view.owners["c"] == ("a-b", "c")


_apis = st.dictionaries(
    st.sampled_from(["a", "a-b", "b", "lab"]),
    st.lists(st.sampled_from(["c", "bC", "get", "labGet", "aGet", "b_c"]), unique=True, max_size=4),
    max_size=3,
)
_given = st.sampled_from(["c", "bC", "aBC", "get", "aGet", "x", "abC", "labGet", "y" * 64])


@settings(max_examples=200, deadline=None)
@given(_apis, st.data())
def test_names_are_unique_and_settings_of_one_tool_rename_no_other(
    words: dict[str, list[str]], data: st.DataObject
) -> None:
    apis: dict[str, dict[str, Signature]] = {}
    for name, ids in words.items():
        signatures = [Signature(method="GET", path=f"/{i}", operation_id=i) for i in ids]
        names = operation_names(signatures)
        apis[name] = {names[s.method, s.path]: s for s in signatures}
    keys = [(name, tool) for name, tools in apis.items() for tool in tools]
    chosen = data.draw(st.dictionaries(st.sampled_from(keys), _given) if keys else st.just({}))
    plain, view = name_view(apis, {}), name_view(apis, chosen)

    published = [view.published(key) for key in keys]
    assert len(set(published)) == len(published)
    assert all(name_fault(name) is None for name in published)
    assert not RESERVED & set(published)
    for key in keys:
        assert view.owners[view.published(key)] == key
        if key not in chosen:
            assert view.published(key) == plain.published(key)
    for name, owner in plain.owners.items():
        # What a caller has learned never comes to mean another tool.
        assert view.owners[name] in (owner, None)
