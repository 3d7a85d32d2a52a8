"""Which operations stay, and which overrides make sense."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog.selection import (
    Rule,
    Selection,
    ToolOverride,
    check_overrides,
    matches_glob,
)
from gateway.errors import Fault
from gateway.openapi import Operation

PAGE = Path(__file__).parents[2] / "docs" / "selection.md"
ROW = re.compile(r"^\| `(.+?)` \| `(.+?)` \| `(.+?)` \|$", re.MULTILINE)
EXAMPLES = ROW.findall(PAGE.read_text().partition("<!-- checked: globs -->")[2])


def operation(method: str, path: str, operation_id: str | None = None, *tags: str) -> Operation:
    return Operation(
        method=method,
        path=path,
        operation_id=operation_id,
        parameters=(),
        body=None,
        node={"tags": list(tags)},
        pointer="",
    )


LIST = operation("GET", "/users", "users/list", "users")
ADD = operation("POST", "/users", "users/add", "users", "admin")
READ = operation("GET", "/users/{id}", None, "users")
KEYS = operation("GET", "/users/{id}/keys", "keys/list")
ALL = (LIST, ADD, READ, KEYS)

CHOICES: dict[str, tuple[Selection, tuple[Operation, ...]]] = {
    "nothing said": (Selection(), ALL),
    "by method, in any case": (Selection(include=(Rule(method="get"),)), (LIST, READ, KEYS)),
    "by path": (Selection(include=(Rule(path="/users/*"),)), (READ,)),
    "by tag": (Selection(include=(Rule(tag="users"),)), (LIST, ADD, READ)),
    "by a tag in another case": (Selection(include=(Rule(tag="Users"),)), ()),
    "by operationId": (Selection(include=(Rule(operation_id="*/list"),)), (LIST, KEYS)),
    "any operationId is not none": (
        Selection(include=(Rule(operation_id="?**"),)),
        (LIST, ADD, KEYS),
    ),
    "a rule is all it gives": (Selection(include=(Rule(method="GET", tag="users"),)), (LIST, READ)),
    "rules add up": (
        Selection(include=(Rule(method="POST"), Rule(path="**/keys"))),
        (ADD, KEYS),
    ),
    "exclude alone": (Selection(exclude=(Rule(tag="admin"),)), (LIST, READ, KEYS)),
    "exclude wins": (
        Selection(include=(Rule(tag="users"),), exclude=(Rule(method="POST"),)),
        (LIST, READ),
    ),
    "a rule that gives nothing": (Selection(include=(Rule(),)), ()),
}


@pytest.mark.parametrize(("selection", "expected"), CHOICES.values(), ids=CHOICES)
def test_a_selection_keeps_what_it_names(
    selection: Selection, expected: tuple[Operation, ...]
) -> None:
    assert tuple(filter(selection.takes, ALL)) == expected


@pytest.mark.parametrize(("glob", "matching", "other"), EXAMPLES, ids=[row[0] for row in EXAMPLES])
def test_the_page_s_globs_do_what_it_says(glob: str, matching: str, other: str) -> None:
    assert matches_glob(glob, matching)
    assert not matches_glob(glob, other)


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) == 10


@pytest.mark.parametrize(
    ("glob", "text", "expected"),
    [
        ("/a.b", "/axb", False),
        ("/a+", "/aa", False),
        ("[ab]", "a", False),
        ("[ab]", "[ab]", True),
        ("a b-c#d&e~f", "a b-c#d&e~f", True),
        ("/a\\d", "/a1", False),
        ("*", "", True),
        ("/a", "/a\n", False),
        ("**", "a\nb/ü", True),
        ("ü?", "üß", True),
        ("/users", "/Users", False),
        ("/**/x", "/x", False),
        ("/***", "/a/b", True),
    ],
)
def test_all_but_wildcards_is_literal(glob: str, text: str, expected: bool) -> None:
    assert matches_glob(glob, text) is expected


@given(text=st.text(st.characters(exclude_characters="*?")))
def test_text_without_wildcards_matches_itself_alone(text: str) -> None:
    assert matches_glob(text, text)
    assert not matches_glob(text, f"{text}x")


def test_many_wildcards_on_a_long_path_take_no_time() -> None:
    assert not matches_glob("**a" * 12 + "b", "/" + "a" * 20_000)


def test_rules_that_name_nothing_are_told() -> None:
    selection = Selection(
        include=(Rule(tag="users"), Rule(path="/user/*")), exclude=(Rule(), Rule(method="GET"))
    )

    assert selection.idle_rules(ALL) == (
        Fault(pointer="/include/1", message="matches no operation"),
        Fault(pointer="/exclude/0", message="matches no operation"),
    )


TOOLS = ("listUsers", "addUser", "getUser")

OVERRIDES: dict[str, tuple[dict[str, ToolOverride], list[tuple[str, str]]]] = {
    "fine": ({"listUsers": ToolOverride(name="users-list", hidden=True)}, []),
    "its own name": ({"listUsers": ToolOverride(name="listUsers")}, []),
    "an unknown tool, nearly right": (
        {"listUser": ToolOverride()},
        [("/listUser", "there is no tool of this name; did you mean listUsers?")],
    ),
    "an unknown tool": (
        {"x/y~z": ToolOverride()},
        [("/x~1y~0z", "there is no tool of this name")],
    ),
    "not a name": (
        {"getUser": ToolOverride(name="9 lives")},
        [
            (
                "/getUser/name",
                "'9 lives' is no tool name: it must match ^[a-zA-Z][a-zA-Z0-9_-]{0,63}$",
            )
        ],
    ),
    "a line end after a name": (
        {"getUser": ToolOverride(name="get\n")},
        [
            (
                "/getUser/name",
                "'get\\n' is no tool name: it must match ^[a-zA-Z][a-zA-Z0-9_-]{0,63}$",
            )
        ],
    ),
    "a reserved name": (
        {"getUser": ToolOverride(name="callTool")},
        [("/getUser/name", "'callTool' is the name of a tool of the gateway's own")],
    ),
    "a generated name, even of a renamed tool": (
        {"getUser": ToolOverride(name="addUser"), "addUser": ToolOverride(name="add")},
        [("/getUser/name", "'addUser' is another tool's generated name")],
    ),
    "one name for two": (
        {"getUser": ToolOverride(name="u"), "addUser": ToolOverride(name="u")},
        [
            ("/getUser/name", "'u' is given to more than one tool"),
            ("/addUser/name", "'u' is given to more than one tool"),
        ],
    ),
    "several mistakes": (
        {"getUsers": ToolOverride(name="")},
        [
            ("/getUsers", "there is no tool of this name; did you mean getUser?"),
            ("/getUsers/name", "'' is no tool name: it must match ^[a-zA-Z][a-zA-Z0-9_-]{0,63}$"),
        ],
    ),
}


@pytest.mark.parametrize(("overrides", "expected"), OVERRIDES.values(), ids=OVERRIDES)
def test_overrides_are_checked_against_the_tools(
    overrides: dict[str, ToolOverride], expected: list[tuple[str, str]]
) -> None:
    faults = check_overrides(TOOLS, overrides)

    assert [(fault.pointer, fault.message) for fault in faults] == expected
