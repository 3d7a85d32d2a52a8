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
    "one wrong word, and the list is not there": (
        {"updates_context": ["history", "user"], "enhances_with": ["user"]},
        False,
        ContextUse(),
    ),
    "a wrong list beside an aware api": (
        {"updates_context": "history"},
        True,
        ContextUse(updates=AWARE),
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
    words = (
        *("agent_goal", "workspace_context", "conversation_history", "current_file"),
        *("recent_changes", "error_context", "session"),
    )
    use = read_context_use({"x-ocp-context": {"enhances_with": list(words)}}, aware=False)
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
def test_whatever_stands_there_gives_a_use_and_what_counts_has_no_fault(
    use: object, aware: bool
) -> None:
    operation = {"x-ocp-context": use}

    read = read_context_use(operation, aware=aware)

    faults = {at.split("/")[2:3][0] for at, _ in extension_faults(operation, OPERATION) if at[14:]}
    assert read.requires_context is (isinstance(use, dict) and use.get("requires_context") is True)
    assert read.enhances_with is None or "enhances_with" not in faults
    if not aware and "updates_context" in faults:
        assert not read.updates
