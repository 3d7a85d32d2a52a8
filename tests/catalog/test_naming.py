"""The rules of docs/names.md, each with the cases that tell it from its neighbours."""

import json
import random
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.catalog.naming import RESERVED, operation_name, operation_names, prefixed, view_names
from gateway.openapi import METHODS, Signature
from tests.support.documents import SHARED

# Two of our own, and all published ones where a checkout has the list beside it.
VECTORS = [
    {"kind": "operationId", "method": "GET", "path": "/x", "input": "a.b", "expected": "aB"},
    {
        "kind": "path",
        "method": "GET",
        "path": "/items/{id}",
        "input": "/",
        "expected": "getItemsId",
    },
    *(
        vector
        for file in SHARED.glob("reference/naming-vectors.json")
        for vector in json.loads(file.read_text())
    ),
]
PUBLISHED = re.compile(r"[a-z][a-zA-Z0-9]{0,63}")


def signature(operation: str, operation_id: object = None) -> Signature:
    method, _, path = operation.partition(" ")
    kept = operation_id if isinstance(operation_id, str) else None
    return Signature(method=method, path=path, operation_id=kept)


def digits(subject: str, count: int = 6) -> str:
    return sha256(subject.encode()).hexdigest()[:count]


def named(*operations: tuple[str, str | None]) -> dict[str, str]:
    found = operation_names(signature(*operation) for operation in operations)
    return {" ".join(key): name for key, name in found.items()}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['kind']} {v['input']!r}")
def test_the_published_vectors_hold(vector: Mapping[str, str]) -> None:
    operation_id = vector["input"] if vector["kind"] == "operationId" else None
    made = signature(f"{vector['method']} {vector['path']}", operation_id)
    assert operation_name(made) == vector["expected"]


@pytest.mark.parametrize(
    ("operation_id", "name"),
    [
        ("list_pets", "listPets"),
        ("listPets", "listPets"),
        ("getHTTPResponse", "getHttpresponse"),
        ("createOAuth2Token", "createOauth2Token"),
        ("repos/list-for-org", "reposListForOrg"),
        ("users:list", "usersList"),
        ("users\tlist\u00a0all", "usersListAll"),
        ("a.b.c", "aBC"),
        ("Café-Menü", "cafeMenu"),
        ("get\u0435tUser", "getTUser"),  # the Cyrillic letter is no ASCII word
        ("update_user__v1", "updateUserV1"),
        ("../../x", "x"),
        ("a\nb", "aB"),
        ("__proto__", "proto"),
        ("\u202eabc", "abc"),
        ("список", "getItemsId"),
        ("2nd", "getItemsId"),
        ("😀", "getItemsId"),
        ("", "getItemsId"),
        (None, "getItemsId"),
    ],
)
def test_a_name_comes_from_the_operation_id_else_from_method_and_path(
    operation_id: str | None, name: str
) -> None:
    assert operation_name(signature("GET /items/{id}", operation_id)) == name


CLASHES: Mapping[str, tuple[Sequence[tuple[str, str | None]], Mapping[str, str]]] = {
    "nobody is the name": (
        [("GET /a", "list-items"), ("GET /b", "list_items"), ("GET /c", "list.items")],
        {"GET /a": "getA", "GET /b": "getB", "GET /c": "getC"},
    ),
    "an exact keeper stays": (
        [("GET /a", "list-items"), ("GET /b", "list_items"), ("GET /d", "listItems")],
        {"GET /a": "getA", "GET /b": "getB", "GET /d": "listItems"},
    ),
    "one operationId twice keeps nobody": (
        [("GET /a", "listItems"), ("GET /b", "listItems")],
        {"GET /a": "getA", "GET /b": "getB"},
    ),
    "one operationId twice beside another spelling": (
        [("GET /a", "listItems"), ("GET /b", "listItems"), ("GET /c", "list_items")],
        {"GET /a": "getA", "GET /b": "getB", "GET /c": "getC"},
    ),
    "no clash, nothing moves": (
        [("GET /a", "list-items"), ("GET /b", "listitems")],
        {"GET /a": "listItems", "GET /b": "listitems"},
    ),
    "both sides take a hash": (
        [("GET /users-list", None), ("GET /users/list", None)],
        {
            "GET /users-list": f"getUsersList{digits('GET /users-list')}",
            "GET /users/list": f"getUsersList{digits('GET /users/list')}",
        },
    ),
    "paths that meet, and an operationId that meets them": (
        [("GET /users-list", None), ("GET /users/list", None), ("GET /x", "get_users_list")],
        {
            "GET /users-list": f"getUsersList{digits('GET /users-list')}",
            "GET /users/list": f"getUsersList{digits('GET /users/list')}",
            "GET /x": "getX",
        },
    ),
    "a moved name meets one that did not move": (
        [("GET /a", "x_y"), ("GET /b", "x-y"), ("POST /c", "get_a")],
        {
            "GET /a": f"getA{digits('GET /a')}",
            "GET /b": "getB",
            "POST /c": f"getA{digits('POST /c')}",
        },
    ),
    "a moved name meets an exact keeper": (
        [("GET /a", "x_y"), ("GET /b", "x-y"), ("POST /c", "getA")],
        {"GET /a": f"getA{digits('GET /a')}", "GET /b": "getB", "POST /c": "getA"},
    ),
    "methods of one path": (
        [("GET /a", "do"), ("PUT /a", "do"), ("HEAD /a", None)],
        {"GET /a": "getA", "PUT /a": "putA", "HEAD /a": "headA"},
    ),
    "an exact keeper whose own path name is another's": (
        [("GET /a", "getB"), ("GET /b", None)],
        {"GET /a": "getB", "GET /b": f"getB{digits('GET /b')}"},
    ),
    "the hash's own name is taken": (
        [("GET /x", None), ("GET /x-", None), ("PUT /c", f"getX{digits('GET /x')}")],
        {
            "GET /x": f"getX{digits('GET /x')}{digits('GET /x')}",
            "GET /x-": f"getX{digits('GET /x-')}",
            "PUT /c": f"getX{digits('GET /x')}",
        },
    ),
    "case alone tells apart": (
        [("GET /a", "listPets"), ("GET /b", "listpets")],
        {"GET /a": "listPets", "GET /b": "listpets"},
    ),
    "reserved": ([("POST /search", "searchTools")], {"POST /search": "postSearch"}),
    "reserved in another spelling": ([("GET /c", "call-tool")], {"GET /c": "getC"}),
}


@pytest.mark.parametrize(("operations", "expected"), CLASHES.values(), ids=CLASHES.keys())
def test_clashes_are_settled_by_the_rules_in_any_order(
    operations: Sequence[tuple[str, str | None]], expected: Mapping[str, str]
) -> None:
    assert named(*operations) == expected
    assert named(*reversed(operations)) == expected


LONG = "thisIsAVeryLongOperationIdentifierThatGoesWellBeyondSixtyFourCharactersForSure"


def test_a_long_name_is_cut_and_hashed() -> None:
    # The two names that field reports on gateways use as their example.
    assert named(("GET /long1", f"{LONG}Alpha"), ("GET /long2", f"{LONG}Beta")) == {
        "GET /long1": "thisIsAveryLongOperationIdentifierThatGoesWellBeyondSixtyF2969bc",
        "GET /long2": "thisIsAveryLongOperationIdentifierThatGoesWellBeyondSixtyF738e72",
    }


@pytest.mark.parametrize("length", [63, 64, 65, 200])
def test_sixty_four_characters_are_the_limit(length: int) -> None:
    (name,) = named(("GET /a", "a" * length)).values()
    assert name == ("a" * length if length <= 64 else "a" * 58 + digits("GET /a"))


def test_clashes_are_judged_before_names_are_cut() -> None:
    """Two long names that clash move to their paths; they are not told apart by their cut."""
    assert named(("GET /a", "long-" * 20), ("GET /b", "long_" * 20)) == {
        "GET /a": "getA",
        "GET /b": "getB",
    }


def test_a_clash_of_long_names_still_fits() -> None:
    path = "/" + "a" * 61
    found = named((f"GET {path}-b", None), (f"GET {path}_b", None))
    assert sorted(map(len, found.values())) == [64, 64]
    assert len(set(found.values())) == 2


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_no_operation_takes_a_native_name(name: str) -> None:
    assert named(("GET /a", name)) == {"GET /a": "getA"}
    assert named(("GET /a", name), ("PUT /b", name)) == {"GET /a": "getA", "PUT /b": "putB"}


def in_view(apis: Mapping[str, Mapping[str, tuple[str, str | None]]]) -> dict[str, str]:
    found = view_names(
        {api: {n: signature(*s) for n, s in tools.items()} for api, tools in apis.items()}
    )
    return {f"{api} {name}": published for (api, name), published in found.items()}


USER = ("GET /user", "getUser")
VIEWS: Mapping[
    str, tuple[Mapping[str, Mapping[str, tuple[str, str | None]]], Mapping[str, str]]
] = {
    "shared by two": (
        {"github": {"getUser": USER}, "gitlab": {"getUser": USER, "listRunners": ("GET /r", None)}},
        {
            "github getUser": "githubGetUser",
            "gitlab getUser": "gitlabGetUser",
            "gitlab listRunners": "listRunners",
        },
    ),
    "the prefixes meet": (
        {
            "git": {"hubGet": ("GET /1", "hubGet"), "get": ("GET /2", "get")},
            "git-hub": {"get": ("GET /3", "get"), "hubGet": ("GET /4", "hubGet")},
        },
        # git + hubGet and git-hub + get are both gitHubGet: each goes to its path.
        {
            "git hubGet": "get1",
            "git get": "gitGet",
            "git-hub get": "get3",
            "git-hub hubGet": "gitHubHubGet",
        },
    ),
    "the prefixes meet an exact keeper": (
        {
            "git": {"hubGet": ("GET /1", None), "gitHubGet": ("GET /5", "gitHubGet")},
            "git-hub": {"get": ("GET /3", None), "hubGet": ("GET /4", None)},
            "other": {"get": ("GET /6", None)},
        },
        {
            "git hubGet": "get1",
            "git gitHubGet": "gitHubGet",
            "git-hub get": "get3",
            "git-hub hubGet": "gitHubHubGet",
            "other get": "otherGet",
        },
    ),
    "prefix and name make a native name": (
        {"search": {"tools": ("GET /t", "tools")}, "b": {"tools": ("GET /u", "tools")}},
        {"search tools": "getT", "b tools": "bTools"},
    ),
    "a prefixed name is not split anew": (
        {"x": {"aBC": ("GET /a", "a.b.c")}, "y": {"aBC": ("GET /b", "a.b.c")}},
        {"x aBC": "xABC", "y aBC": "yABC"},
    ),
}


@pytest.mark.parametrize(("apis", "expected"), VIEWS.values(), ids=VIEWS.keys())
def test_a_view_over_several_apis_has_one_name_for_each_tool(
    apis: Mapping[str, Mapping[str, tuple[str, str | None]]], expected: Mapping[str, str]
) -> None:
    assert in_view(apis) == expected
    assert in_view(dict(reversed(list(apis.items())))) == expected


def test_two_apis_that_meet_at_one_path_are_told_apart_by_their_own_names() -> None:
    """The rules end where method and path are equal, too; the API is what is left."""
    tool = ("GET /x", None)
    found = in_view(
        {
            "git": {"hubGet": tool, "other": ("GET /o", None)},
            "git-hub": {"get": tool, "hubGet": ("GET /p", None)},
            "c": {"get": ("GET /c", None)},
        }
    )
    assert len(set(found.values())) == len(found)
    assert all(PUBLISHED.fullmatch(name) for name in found.values())


def test_a_long_prefixed_name_is_cut() -> None:
    name = "a" * 62
    found = in_view({"one": {name: ("GET /x", None)}, "two": {name: ("GET /y", None)}})
    assert found[f"one {name}"] == prefixed("one", name)[:58] + digits("GET /x")


# Few letters and words, so that names meet often.
_paths = st.lists(
    st.sampled_from(["a", "b", "a-b", "a_b", "{a}", "A", "é"]), min_size=1, max_size=3
)
_ids = st.one_of(
    st.none(),
    st.sampled_from(["getA", "get_a", "getAB", "aB", "a-b", "a_b", "searchTools", "x" * 70]),
    st.text(max_size=8),
)
_operations = st.dictionaries(
    st.tuples(st.sampled_from(METHODS), _paths.map(lambda parts: "/" + "/".join(parts))),
    _ids,
    max_size=12,
)


def signatures(operations: Mapping[tuple[str, str], str | None]) -> list[Signature]:
    return [Signature(method=m, path=p, operation_id=i) for (m, p), i in operations.items()]


@settings(max_examples=200, deadline=None)
@given(_operations, st.randoms(use_true_random=False))
def test_names_are_unique_valid_and_the_same_in_any_order(
    operations: dict[tuple[str, str], str | None], order: random.Random
) -> None:
    listed = signatures(operations)
    names = operation_names(listed)
    order.shuffle(listed)
    assert operation_names(listed) == names
    assert len(set(names.values())) == len(operations)
    assert all(PUBLISHED.fullmatch(name) for name in names.values())
    assert not RESERVED & set(names.values())


_api_names = st.sampled_from(["git", "git-hub", "hub", "a", "a-b", "search", "call"])


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(_api_names, _operations, max_size=4), st.randoms(use_true_random=False))
def test_names_in_a_view_are_unique_valid_and_the_same_in_any_order(
    apis: dict[str, dict[tuple[str, str], str | None]], order: random.Random
) -> None:
    made = {}
    for api, operations in apis.items():
        names = operation_names(signatures(operations))
        made[api] = {names[s.method, s.path]: s for s in signatures(operations)}
    names = view_names(made)
    listed = list(made.items())
    order.shuffle(listed)
    assert view_names({api: dict(reversed(tools.items())) for api, tools in listed}) == names
    assert len(set(names.values())) == sum(map(len, made.values()))
    assert all(PUBLISHED.fullmatch(name) for name in names.values())
    assert not RESERVED & set(names.values())
