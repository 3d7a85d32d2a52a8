"""What descriptions say of contexts (OCP 1.0, Level 2), and what of it counts."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.openapi import ContextUse, OcpSupport, Operation, read_description
from gateway.openapi.extensions import OPERATION, extension_faults, read_context_use, read_support

VERSIONS = {
    "2.0": {"swagger": "2.0"},
    "3.0": {"openapi": "3.0.3"},
    "3.1": {"openapi": "3.1.0"},
    "3.2": {"openapi": "3.2.0"},
}
WORDS = {
    "agent_goal": "current_goal",
    "workspace_context": "workspace",
    "conversation_history": "history",
}
AWARE = frozenset({"current_goal", "context_summary", "history"})
ALL_MEMBERS = frozenset(
    {
        "current_goal",
        "workspace",
        "history",
        "current_file",
        "recent_changes",
        "error_context",
        "session",
    }
)


def only_operation(root: Mapping[str, object]) -> Operation:
    (operation,) = read_description(root, api="shop").operations
    return operation


@pytest.mark.parametrize("version", VERSIONS.values(), ids=VERSIONS)
def test_every_version_may_say_what_it_does_with_contexts(version: Mapping[str, object]) -> None:
    use = {
        "enhances_with": ["agent_goal", "conversation_history"],
        "updates_context": ["error_context"],
        "requires_context": True,
        "of_another_version": 1,
    }
    operation = {"x-ocp-context": use, "responses": {}}

    found = only_operation({**version, "paths": {"/a": {"get": operation}}})

    assert found.context == ContextUse(
        enhances_with=frozenset({"current_goal", "history"}),
        updates=frozenset({"error_context"}),
        requires_context=True,
    )


@pytest.mark.parametrize("reference", ["path item", "operation"])
def test_what_stands_behind_a_reference_counts(reference: str) -> None:
    operation: Mapping[str, object] = {
        "x-ocp-context": {"requires_context": True},
        "responses": {},
    }
    there = {"$ref": "#/x-there"}
    behind = {"get": operation} if reference == "path item" else operation
    item = there if reference == "path item" else {"get": there}

    found = only_operation({"openapi": "3.1.0", "paths": {"/b": item}, "x-there": behind})

    assert found.context.requires_context


USES: dict[str, tuple[object, bool, ContextUse]] = {
    "nothing is said": ({}, False, ContextUse()),
    "only the api speaks": ({}, True, ContextUse(updates=AWARE)),
    "the api speaks, the operation names none": (
        {"requires_context": True},
        True,
        ContextUse(updates=AWARE, requires_context=True),
    ),
    "an empty list changes nothing": ({"updates_context": []}, True, ContextUse()),
    "an empty list sends nothing": (
        {"enhances_with": []},
        False,
        ContextUse(enhances_with=frozenset()),
    ),
    "one wrong word costs no other one": (
        {"updates_context": ["history", "user"], "enhances_with": ["agent_goal", "user", 1, {}]},
        False,
        ContextUse(enhances_with=frozenset({"current_goal"}), updates=frozenset({"history"})),
    ),
    "wrong words bound all the same": (
        {"updates_context": ["agent_goal", 7], "enhances_with": ["current_goal"]},
        True,
        ContextUse(enhances_with=frozenset()),
    ),
    "what is no list bounds all the same": (
        {"updates_context": "history", "enhances_with": {"agent_goal": True}},
        True,
        ContextUse(enhances_with=frozenset()),
    ),
    "a key without a value bounds all the same": (
        {"updates_context": None, "enhances_with": None},
        True,
        ContextUse(enhances_with=frozenset()),
    ),
    "a wrong member costs no other one": (
        {"requires_context": "yes", "enhances_with": ["session"]},
        False,
        ContextUse(enhances_with=frozenset({"session"})),
    ),
    "no object": ("always", False, ContextUse()),
    "null": (None, True, ContextUse(updates=AWARE)),
}


@pytest.mark.parametrize(("use", "aware", "expected"), USES.values(), ids=USES)
def test_what_is_declared_and_well_formed_counts(
    use: object, aware: bool, expected: ContextUse
) -> None:
    assert read_context_use({"x-ocp-context": use}, aware=aware) == expected


def test_every_word_that_enhances_means_a_member_of_the_context() -> None:
    words = [*WORDS, "current_file", "recent_changes", "error_context", "session"]
    use = read_context_use({"x-ocp-context": {"enhances_with": words}}, aware=False)
    assert use == ContextUse(enhances_with=ALL_MEMBERS)


def test_an_aware_api_speaks_for_its_operations() -> None:
    operation: Mapping[str, object] = {"responses": {}}
    root = {
        "openapi": "3.1.0",
        "info": {"x-ocp-context-aware": True},
        "paths": {"/a": {"get": operation}},
    }
    assert only_operation(root).context.updates == AWARE


SUPPORTS: dict[str, tuple[object, OcpSupport]] = {
    "all of it": (
        {
            "x-ocp-enabled": True,
            "x-ocp-context-aware": True,
            "x-ocp-agent-types": ["ide", "chat"],
            "x-ocp-version": "1.0",
        },
        OcpSupport(enabled=True, context_aware=True, agent_types=("ide", "chat"), version="1.0"),
    ),
    "each wrong in its own way": (
        {
            "x-ocp-enabled": "true",
            "x-ocp-context-aware": 1,
            "x-ocp-agent-types": ["ide", 1],
            "x-ocp-version": 1.0,
        },
        OcpSupport(),
    ),
    "a version with a line break": ({"x-ocp-version": "1.0\n"}, OcpSupport()),
    "no object": ([], OcpSupport()),
}


@pytest.mark.parametrize(("info", "expected"), SUPPORTS.values(), ids=SUPPORTS)
def test_an_api_says_what_it_supports(info: object, expected: OcpSupport) -> None:
    assert read_support({"info": info}) == expected


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=8), inner)
)
USE = st.dictionaries(
    st.sampled_from(["enhances_with", "updates_context", "requires_context"]),
    JSON | st.lists(st.sampled_from(["session", "history", "agent_goal"])),
)


@settings(max_examples=200)
@given(use=JSON | USE, aware=st.booleans())
def test_whatever_stands_there_gives_a_use_that_no_fault_widens(use: object, aware: bool) -> None:
    read = read_context_use({"x-ocp-context": use}, aware=aware)

    said = use if isinstance(use, dict) else {}
    assert read.requires_context is (said.get("requires_context") is True)
    for key, found in (("enhances_with", read.enhances_with), ("updates_context", read.updates)):
        if key in said:
            words = said[key] if isinstance(said[key], list) else []
            assert found is not None
            assert found <= {WORDS.get(word, word) for word in words if isinstance(word, str)}
    assert ("enhances_with" in said) == (read.enhances_with is not None)


def test_what_does_not_count_has_a_fault() -> None:
    use = {"enhances_with": ["agent_goal", "user"], "updates_context": None, "requires_context": 1}
    faults = {at for at, _ in extension_faults({"x-ocp-context": use}, OPERATION)}
    assert faults == {
        "/x-ocp-context/enhances_with/1",
        "/x-ocp-context/updates_context",
        "/x-ocp-context/requires_context",
    }
