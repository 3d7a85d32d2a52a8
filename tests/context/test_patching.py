import json
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.context import AgentContext, is_valid_context, to_mapping
from gateway.context.patching import (
    MAX_FAULTS,
    MAX_MEMBER,
    MAX_SPECS,
    PATCHABLE,
    read_draft,
    read_patch,
)
from gateway.errors import InvalidArguments
from tests.support.contexts import a_context, append

LATER = "2026-01-01T00:00:01.000000Z"
PETS = "https://pets.example/openapi.json"


def patched(patch: object, context: AgentContext | None = None) -> AgentContext:
    return read_patch(patch).apply_to(context or a_context(), LATER)


def pointers(refusal: pytest.ExceptionInfo[InvalidArguments]) -> list[str]:
    return [fault.pointer for fault in refusal.value.faults]


@pytest.mark.parametrize(
    ("member", "own"),
    [
        ("goal", "current_goal"),
        ("summary", "context_summary"),
        ("current_goal", "current_goal"),
        ("context_summary", "context_summary"),
        ("error_context", "error_context"),
        ("current_file", "current_file"),
        ("user", "user"),
        ("workspace", "workspace"),
    ],
)
def test_a_text_is_set_and_null_erases_it(member: str, own: str) -> None:
    context = patched({member: "fix the gate"})

    assert to_mapping(context)[own] == "fix the gate"
    assert to_mapping(patched({}, context))[own] == "fix the gate"
    assert own not in to_mapping(patched({member: None}, context))


def test_recent_changes_are_replaced_whole() -> None:
    context = patched({"recent_changes": ["one", "two"]})

    assert patched({"recent_changes": ["three"]}, context).recent_changes == ("three",)
    assert patched({"recent_changes": None}, context).recent_changes == ()
    assert patched({"goal": "x"}, context).recent_changes == ("one", "two")


def test_api_specs_are_merged_name_by_name() -> None:
    context = patched({"api_specs": {"pets": PETS, "cars": PETS}})

    assert patched({"api_specs": {"cars": None, "ships": "urn:ships"}}, context).api_specs == {
        "pets": PETS,
        "ships": "urn:ships",
    }
    assert patched({"api_specs": {}}, context).api_specs == context.api_specs
    assert patched({"api_specs": None}, context).api_specs == {}


def test_a_patch_is_no_interaction() -> None:
    before = append().apply(None)
    assert before is not None
    after = patched({"goal": "on"}, before)

    assert (after.history, after.session) == (before.history, before.session)
    assert after.last_updated == LATER
    assert read_patch({}).apply_to(after, "2020-01-01T00:00:00Z").last_updated == LATER


@pytest.mark.parametrize(
    ("patch", "faulty"),
    [
        ([], [""]),
        (None, [""]),
        ("goal", [""]),
        ({"history": []}, ["/history"]),
        ({"context_id": "ocp-1", "taken": {}, "a/b~": 1}, ["/context_id", "/taken", "/a~1b~0"]),
        ({"goal": 7, "user": ["x"]}, ["/goal", "/user"]),
        ({"goal": "a", "current_goal": "b"}, ["/goal"]),
        ({"summary": None, "context_summary": "b"}, ["/summary"]),
        ({"goal": "x" * (MAX_MEMBER + 1)}, ["/goal"]),
        ({"goal": "half \ud800"}, ["/goal"]),
        ({"recent_changes": "one"}, ["/recent_changes"]),
        ({"recent_changes": ["x"] * 11}, ["/recent_changes"]),
        ({"recent_changes": ["x", 2, None]}, ["/recent_changes/1", "/recent_changes/2"]),
        ({"recent_changes": ["x" * (MAX_MEMBER // 2 + 1)] * 2}, ["/recent_changes"]),
        ({"api_specs": ["x"]}, ["/api_specs"]),
        ({"api_specs": {"a b": PETS, "": PETS}}, ["/api_specs/a b", "/api_specs/"]),
        ({"api_specs": {"a": "/relative", "b": 1}}, ["/api_specs/a", "/api_specs/b"]),
    ],
    ids=str,
)
def test_every_fault_is_told_by_its_place(patch: object, faulty: list[str]) -> None:
    with pytest.raises(InvalidArguments) as refusal:
        read_patch(patch)

    assert pointers(refusal) == faulty


def test_what_is_wrong_in_a_thousand_places_is_told_of_some() -> None:
    with pytest.raises(InvalidArguments) as refusal:
        read_patch({"api_specs": {f"name{number}": 1 for number in range(MAX_SPECS)}})

    assert len(refusal.value.faults) == MAX_FAULTS


@pytest.mark.parametrize("read", [read_patch, read_draft])
@pytest.mark.parametrize(
    ("patch", "place", "message"),
    [
        ({f"m{n}": 1 for n in range(70_000)}, "", "has more than 12 members; there are "),
        ({"api_specs": {f"m{n}": 1 for n in range(70_000)}}, "/api_specs", "has more than 1000 na"),
        ({"api_specs": {"a": "urn:" + "x" * MAX_MEMBER}}, "/api_specs", "takes more than 65536 ch"),
        ({"api_specs": {"x" * MAX_MEMBER: 1, "b": 1}}, "/api_specs", "takes more than 65536 chara"),
    ],
    ids=["members", "api_specs", "a long URI", "a long name"],
)
def test_what_is_too_much_is_refused_as_a_whole(
    patch: object, place: str, message: str, read: Callable[[object], object]
) -> None:
    with pytest.raises(InvalidArguments) as refusal:
        read(patch)

    (fault,) = refusal.value.faults
    assert fault.pointer == place
    assert fault.message.startswith(message)


def test_as_many_api_specs_as_there_may_be_are_taken() -> None:
    specs = {f"name{number}": "urn:x" for number in range(MAX_SPECS)}

    assert patched({"api_specs": specs}).api_specs == specs


def test_api_specs_may_not_grow_patch_by_patch_without_end() -> None:
    uri = "urn:" + "x" * (MAX_MEMBER // 2)
    context = patched({"api_specs": {"a": uri}})

    with pytest.raises(InvalidArguments) as refusal:
        patched({"api_specs": {"b": uri}}, context)

    assert pointers(refusal) == ["/api_specs"]
    assert patched({"api_specs": {"a": None, "b": uri}}, context).api_specs == {"b": uri}


def test_a_read_context_can_be_written_back() -> None:
    context = patched({"goal": "g", "summary": "s", "user": "u", "recent_changes": ["one"]})
    shown = {name: value for name, value in to_mapping(context).items() if name in PATCHABLE}

    assert patched(shown) == context


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=11) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)


@given(patch=st.dictionaries(st.sampled_from(PATCHABLE), JSON_VALUES, max_size=4))
@settings(max_examples=200, deadline=None)
def test_a_patched_context_obeys_the_schema(patch: dict[str, object]) -> None:
    try:
        context = patched(patch)
    except InvalidArguments:
        return

    assert is_valid_context(to_mapping(context))
    json.dumps(to_mapping(context)).encode()


@given(value=JSON_VALUES)
@settings(max_examples=100, deadline=None)
def test_any_json_is_a_patch_or_a_refusal(value: object) -> None:
    for read in (read_patch, read_draft):
        with suppress(InvalidArguments):
            read(value)


def test_a_draft_has_an_id_and_an_agent_besides() -> None:
    draft = read_draft({"context_id": "My-1", "agent_type": "ide", "goal": "g"})

    assert (draft.context_id, draft.agent_type) == ("My-1", "ide")
    assert draft.patch.texts == {"current_goal": "g"}
    assert read_draft({"context_id": None}).context_id is None


@pytest.mark.parametrize("bad", ["", "a_b", "a" * 65, 7, "x\n"], ids=repr)
def test_a_draft_with_an_id_that_no_header_could_carry_is_refused(bad: object) -> None:
    with pytest.raises(InvalidArguments) as refusal:
        read_draft({"context_id": bad, "agent_type": "a b", "nope": 1})

    assert pointers(refusal) == ["/context_id", "/agent_type", "/nope"]
