import itertools
import random
from collections.abc import Callable
from unittest.mock import patch

import pytest

from gateway.catalog import (
    ApiCatalog,
    Routes,
    Rule,
    Selection,
    ToolOverride,
    read_catalog,
    recall,
    routing,
    summarise,
)
from gateway.errors import GatewayError, MethodNotAllowed, UnknownOperation
from tests.support.documents import catalog, described, document, operation


def routes(*operations: str) -> Routes:
    """Of `METHOD /path` each; their own text is the operationId."""
    paths: dict[str, dict[str, object]] = {}
    for text in operations:
        method, path = text.split(" ", 1)
        paths.setdefault(path, {})[method.lower()] = operation(operationId=text)
    return catalog(document(paths)).routes


PETS = (
    "GET /pets",
    "POST /pets",
    "GET /pets/{id}",
    "DELETE /pets/{id}",
    "GET /pets/mine",
    "GET /pets/{id}/toys",
    "GET /pets/mine/{toy}",
    "GET /pets/{id}.json",
    "GET /pets/v{major}.{minor}",
    "GET /{kind}/all",
    "HEAD /health",
    "GET /health",
    "PUT /files/{name}:rename",
    "GET /slash/",
    "GET /über/{x}",
    "GET /search?kind={kind}",
)


@pytest.mark.parametrize(
    ("request_line", "expected"),
    [
        ("GET /pets", "GET /pets"),
        ("GET /pets/7", "GET /pets/{id}"),
        ("GET /pets/mine", "GET /pets/mine"),
        ("GET /pets/min%65", "GET /pets/mine"),
        ("GET /pets/mine/toys", "GET /pets/mine/{toy}"),
        ("GET /pets/7/toys", "GET /pets/{id}/toys"),
        ("GET /pets/7.json", "GET /pets/{id}.json"),
        ("GET /pets/a.b.json", "GET /pets/{id}.json"),
        ("GET /pets/.json", "GET /pets/{id}"),
        ("GET /pets/v1.2", "GET /pets/v{major}.{minor}"),
        ("GET /pets/v1.", "GET /pets/{id}"),
        ("GET /pets/v.2", "GET /pets/{id}"),
        ("GET /pets/v..2", "GET /pets/v{major}.{minor}"),
        ("GET /pets/all", "GET /pets/{id}"),
        ("GET /cats/all", "GET /{kind}/all"),
        ("GET /pets/a%2Fb", "GET /pets/{id}"),
        ("GET /pets/a%2ftoys", "GET /pets/{id}"),
        ("GET /pets/a;v=1", "GET /pets/{id}"),
        ("GET /pets/%20", "GET /pets/{id}"),
        ("GET /pets/%ff", "GET /pets/{id}"),
        ("GET /pets/%", "GET /pets/{id}"),
        ("PUT /files/a:rename", "PUT /files/{name}:rename"),
        ("PUT /files/a%3Arename", "PUT /files/{name}:rename"),
        ("GET /slash/", "GET /slash/"),
        ("GET /%C3%BCber/1", "GET /über/{x}"),
        ("GET /search", "GET /search?kind={kind}"),
        ("HEAD /pets", "GET /pets"),
        ("HEAD /health", "HEAD /health"),
        ("OPTIONS /pets/mine", "GET /pets/mine"),
        # Only the placeholder knows the method.
        ("DELETE /pets/mine", "DELETE /pets/{id}"),
    ],
)
def test_the_most_literal_route_that_knows_the_method_is_meant(
    request_line: str, expected: str
) -> None:
    method, path = request_line.split(" ", 1)
    for listed in (PETS, PETS[::-1]):
        assert routes(*listed).match(method, path).operation_id == expected


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/pets/", id="trailing slash, empty placeholder"),
        pytest.param("/slash", id="no trailing slash"),
        pytest.param("/pets//toys", id="empty segment"),
        pytest.param("//pets", id="two slashes"),
        pytest.param("/Pets", id="case"),
        pytest.param("/pets%2F7", id="encoded slash is no separator"),
        pytest.param("/pets/7/toys/8", id="too long"),
        pytest.param("/files/:rename", id="nothing before the literal"),
        pytest.param("/", id="root"),
        pytest.param("", id="empty"),
        pytest.param("*", id="asterisk form"),
        pytest.param("pets", id="no slash"),
    ],
)
def test_another_path_is_unknown(path: str) -> None:
    with pytest.raises(UnknownOperation):
        routes(*PETS).match("GET", path)


@pytest.mark.parametrize("path", ["/{", "/a{b", "/a}b", "/}{", "/{{}"])
def test_a_brace_that_opens_no_placeholder_is_itself(path: str) -> None:
    known = routes(f"GET {path}", "GET /{id}/x")

    assert known.match("GET", path).operation_id == f"GET {path}"
    with pytest.raises(UnknownOperation):
        known.match("GET", "/other")


def test_the_root_is_a_path() -> None:
    assert routes("GET /").match("GET", "/").operation_id == "GET /"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "/pets", ("GET", "HEAD", "OPTIONS", "POST")),
        ("TRACE", "/pets/mine", ("DELETE", "GET", "HEAD", "OPTIONS")),
        ("HEAD", "/files/a:rename", ("OPTIONS", "PUT")),
        ("get", "/pets", ("GET", "HEAD", "OPTIONS", "POST")),
    ],
)
def test_a_method_that_is_not_described_names_those_that_are(
    method: str, path: str, allowed: tuple[str, ...]
) -> None:
    with pytest.raises(MethodNotAllowed) as caught:
        routes(*PETS).match(method, path)
    assert caught.value.allowed == allowed


def test_templates_that_differ_in_names_only_are_one_route() -> None:
    found = routes("GET /a/{x}", "PUT /a/{y}", "GET /b/{x}-{y}", "PUT /b/{p}-{q}")
    for path in ("/a/1", "/b/1-2"):
        with pytest.raises(MethodNotAllowed) as caught:
            found.match("POST", path)
        assert caught.value.allowed == ("GET", "HEAD", "OPTIONS", "PUT")


def steps(found: Routes, path: str) -> int:
    """How many branches one match looks at."""
    with patch.object(routing, "_next", wraps=routing._next) as counted:
        with pytest.raises(UnknownOperation):
            found.match("GET", path)
        return counted.call_count


def test_the_work_grows_with_the_templates_not_with_their_combinations() -> None:
    """Every segment literal or placeholder at random: 2^16 ways through, 300 templates."""
    choose = random.Random(1)  # noqa: S311 - the same templates in every run
    templates = {"/" + "/".join(choose.choice(("a", "{x}")) for _ in range(16)) for _ in range(300)}
    found = routes(*(f"GET {template}/end" for template in templates))
    assert steps(found, "/a" * 16 + "/other") <= 17 * len(templates)


def test_a_path_of_many_segments_is_matched_without_recursion() -> None:
    found = routes("GET " + "/{x}" * 3000)
    assert found.match("GET", "/a" * 3000).operation_id
    assert steps(found, "/a" * 3001) <= 3001


def _fits(template: str, segment: str) -> bool:
    found = routes(f"GET /{template}")
    try:
        found.match("GET", f"/{segment}")
    except UnknownOperation:
        return False
    return True


def test_a_segment_of_many_placeholders_is_matched_without_backtracking() -> None:
    """Any engine that tries one gap after the other would not come back from this."""
    template = "-".join(f"{{p{i}}}" for i in range(30))
    assert not _fits(f"{template}x", "-" * 8000)
    assert _fits(f"{template}x", "-" * 8000 + "x")
    assert _fits("{a}{b}", "ab")
    assert not _fits("{a}{b}", "a")


def every_way(literals: list[str], segment: str) -> bool:
    """The slow truth: some text, one character or more, in every gap."""
    first, *rest = literals
    if not segment.startswith(first):
        return False
    left = segment[len(first) :]
    if not rest:
        return not left
    return any(every_way(rest, left[gap:]) for gap in range(1, len(left) + 1))


@pytest.mark.parametrize(
    "template",
    ["{}", "a{}", "{}a", "a{}a", "{}a{}", "a{}ba{}a", "{}ab{}ab", "{}{}", "a{}{}b", "{}aa{}{}a"],
)
def test_a_segment_fits_exactly_when_there_is_some_way(template: str) -> None:
    literals = template.split("{}")
    for length in range(8):
        for letters in itertools.product("ab", repeat=length):
            segment = "".join(letters)
            assert routing._fits(literals, segment) == every_way(literals, segment), segment


USER = [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]
BROKEN = [{"$ref": "#/nowhere"}]
USERS = document(
    {
        "/users/{id}": {
            "parameters": USER,
            **{m: operation(operationId=f"{m}User") for m in ("get", "delete")},
        },
        "/users/admin": {"get": operation(operationId="getAdmin")},
        "/users/me": {m: operation(operationId=f"{m}Me") for m in ("get", "delete", "post")},
        "/users/broken": {"get": operation(operationId="broken", parameters=BROKEN)},
    }
)
OVERRIDES = {"deleteMe": ToolOverride(hidden=True), "getMe": ToolOverride(hidden=True)}
SELECTION = Selection(exclude=(Rule(path="/users/admin"),))


def chosen() -> ApiCatalog:
    return read_catalog(described(USERS), selection=SELECTION, overrides=OVERRIDES)


def recalled() -> ApiCatalog:
    first = described(USERS)
    summary = summarise(read_catalog(first, selection=SELECTION, overrides=OVERRIDES))
    return recall(summary, first.document, api="test", overrides=OVERRIDES)


@pytest.mark.parametrize("made", [chosen, recalled])
@pytest.mark.parametrize(
    ("request_line", "expected"),
    [
        ("GET /users/1", "getUser"),
        ("DELETE /users/1", "deleteUser"),
        ("POST /users/me", "postMe"),
        ("OPTIONS /users/me", "postMe"),
        ("GET /users/administrator", "getUser"),
        ("GET /users/admin", UnknownOperation),
        ("HEAD /users/admin", UnknownOperation),
        ("OPTIONS /users/admin", UnknownOperation),
        # Described for no other method: nothing of the path is open.
        ("DELETE /users/%61dmin", UnknownOperation),
        ("GET /users/broken", UnknownOperation),
        ("DELETE /users/broken", UnknownOperation),
        ("GET /users/me", ("OPTIONS", "POST")),
        ("HEAD /users/m%65", ("OPTIONS", "POST")),
        ("DELETE /users/me", ("OPTIONS", "POST")),
        ("PATCH /users/1", ("DELETE", "GET", "HEAD", "OPTIONS")),
    ],
)
def test_what_is_left_out_hidden_or_faulty_is_closed_under_a_templated_sibling(
    made: Callable[[], ApiCatalog], request_line: str, expected: object
) -> None:
    method, path = request_line.split(" ")
    found: object
    try:
        found = made().routes.match(method, path).name
    except MethodNotAllowed as error:
        found = error.allowed
    except GatewayError as error:
        found = type(error)
    assert found == expected


NOWHERE = {"$ref": "#/components/nowhere"}


@pytest.mark.parametrize(
    "item",
    [
        pytest.param({"get": NOWHERE}, id="the operation's"),
        pytest.param({**NOWHERE, "get": operation()}, id="the path's"),
        pytest.param({**NOWHERE, "get": 5}, id="the path's, with what is no operation"),
    ],
)
def test_a_reference_that_is_broken_closes_the_route(item: object) -> None:
    users = {"get": operation(), "put": operation()}
    paths: dict[str, object] = {"/users/{id}": users, "/users/admin": item}
    made = read_catalog(described(document(paths)))
    assert made.routes.match("GET", "/users/1").name == "getUsersId"
    with pytest.raises(UnknownOperation):
        made.routes.match("GET", "/users/admin")
    assert made.signatures.keys() == {"getUsersId", "putUsersId", "getUsersAdmin"}
    assert made.tools.keys() == {"getUsersId", "putUsersId"}


def test_what_requests_cannot_tell_from_a_tool_is_open() -> None:
    paths = {f"/a/{{{name}}}": {"get": operation(operationId=name)} for name in ("x", "y")}
    for path in paths:
        excluded = Selection(exclude=(Rule(path=path),))
        made = read_catalog(described(document(paths)), selection=excluded)
        assert made.routes.match("GET", "/a/1").path != path


def test_closed_paths_cost_no_more_than_open_ones() -> None:
    choose = random.Random(1)  # noqa: S311 - the same templates in every run
    templates = {"/" + "/".join(choose.choice(("a", "{x}")) for _ in range(16)) for _ in range(300)}
    paths = {f"{template}/end": {"get": operation()} for template in templates}
    nothing = Selection(include=(Rule(path="/nothing"),))
    found = read_catalog(described(document(paths)), selection=nothing).routes
    assert steps(found, "/a" * 16 + "/end") <= 17 * len(templates)
