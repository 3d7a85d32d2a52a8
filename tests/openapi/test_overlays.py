"""Overlays: actions in order, nothing changed in place, bounded."""

from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import DescriptionError
from gateway.openapi import overlays
from gateway.openapi.overlays import apply_overlay

Json = dict[str, object]


def api() -> Json:
    return {
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1"},
        "tags": ["a", "b", "c"],
        "paths": {
            "/a": {"get": {"summary": "A", "parameters": [{"name": "q"}, {"name": "r"}]}},
            "/b": {"get": {"summary": "B", "x-internal": True}, "post": {}},
        },
    }


def overlay(*actions: object) -> Json:
    return {"overlay": "1.0.0", "info": {"title": "O", "version": "1"}, "actions": list(actions)}


def nested(levels: int) -> Json:
    value: Json = {}
    for _ in range(levels):
        value = {"x": value}
    return value


def applied(*actions: object) -> Json:
    root, findings = apply_overlay(api(), overlay(*actions))
    assert findings == ()
    return dict(root)


CHANGES: dict[str, tuple[list[Json], str, object]] = {
    "merge keeps what it does not name": (
        [{"target": "$.info", "update": {"title": "New", "x": {"y": 1}}}],
        "info",
        {"title": "New", "version": "1", "x": {"y": 1}},
    ),
    "merge goes down": (
        [{"target": "$", "update": {"info": {"title": "New"}}}],
        "info",
        {"title": "New", "version": "1"},
    ),
    "an entry is appended": ([{"target": "$.tags", "update": "d"}], "tags", ["a", "b", "c", "d"]),
    "arrays are concatenated": (
        [{"target": "$.tags", "update": ["d", "e"]}],
        "tags",
        ["a", "b", "c", "d", "e"],
    ),
    "arrays below are concatenated": (
        [{"target": "$", "update": {"tags": ["d"]}}],
        "tags",
        ["a", "b", "c", "d"],
    ),
    "a plain value is replaced": (
        [{"target": "$.info.title", "update": "New"}],
        "info",
        {"title": "New", "version": "1"},
    ),
    "a bare member changes nothing": (
        [{"target": "$", "update": {"tags": None}}],
        "tags",
        ["a", "b", "c"],
    ),
    "an action that says nothing to do": ([{"target": "$.tags"}], "tags", ["a", "b", "c"]),
    "remove a member": ([{"target": "$.info.title", "remove": True}], "info", {"version": "1"}),
    "remove by index, each as it was matched": (
        [{"target": "$.tags[0,1]", "remove": True}],
        "tags",
        ["c"],
    ),
    "remove an array and what is inside it": (
        [{"target": "$..parameters[?@.name=='q' || @.name=='r']", "remove": True}],
        "paths",
        {
            "/a": {"get": {"summary": "A", "parameters": []}},
            "/b": {"get": {"summary": "B", "x-internal": True}, "post": {}},
        },
    ),
    "remove wins over update": (
        [{"target": "$.tags", "remove": True, "update": ["z"]}],
        "tags",
        None,
    ),
    "remove by a filter on members": (
        [{"target": "$.paths.*[?@['x-internal'] == true]", "remove": True}],
        "paths",
        {
            "/a": {"get": {"summary": "A", "parameters": [{"name": "q"}, {"name": "r"}]}},
            "/b": {"post": {}},
        },
    ),
    "actions see the work of those before": (
        [
            {"target": "$", "update": {"x-a": {"b": 1}}},
            {"target": "$['x-a']", "update": {"c": 2}},
            {"target": "$['x-a'].b", "remove": True},
        ],
        "x-a",
        {"c": 2},
    ),
    "one update at several places, then one of them": (
        [
            {"target": "$.paths.*.get", "update": {"x-o": {"n": [1]}}},
            {"target": "$.paths['/a'].get['x-o'].n", "update": 2},
            {"target": "$.paths", "remove": False, "update": {"/a": {"get": {"x-o": {"m": 3}}}}},
        ],
        "paths",
        {
            "/a": {
                "get": {
                    "summary": "A",
                    "parameters": [{"name": "q"}, {"name": "r"}],
                    "x-o": {"n": [1, 2], "m": 3},
                }
            },
            "/b": {"get": {"summary": "B", "x-internal": True, "x-o": {"n": [1]}}, "post": {}},
        },
    ),
    "match is anchored": (
        [{"target": "$.tags[?match(@, '[ab]')]", "remove": True}],
        "tags",
        ["c"],
    ),
    "search is not": (
        [{"target": "$.tags[?search(@, 'b|x')]", "remove": True}],
        "tags",
        ["a", "c"],
    ),
}


@pytest.mark.parametrize(("actions", "member", "expected"), CHANGES.values(), ids=CHANGES)
def test_actions_change_what_they_name(actions: list[Json], member: str, expected: object) -> None:
    before = {key: value for key, value in api().items() if key != member}

    after = applied(*actions)

    assert after.pop(member, None) == expected
    assert before.items() <= after.items()


def test_the_input_is_left_as_it_was_and_shared_where_nothing_changed() -> None:
    root, update = api(), {"x": {"y": [1]}}
    kept = deepcopy((root, update))

    after, _ = apply_overlay(
        root,
        overlay(
            {"target": "$.info", "update": update},
            {"target": "$.info.x.y", "update": 2},
            {"target": "$.paths['/b'].post", "remove": True},
        ),
    )

    assert (root, update) == kept
    paths, paths_after = root["paths"], after["paths"]
    assert isinstance(paths, dict)
    assert isinstance(paths_after, dict)
    assert paths_after["/a"] is paths["/a"]
    assert after["tags"] is root["tags"]


def test_what_was_copied_is_changed_alone() -> None:
    after = applied(
        {"target": "$.paths['/a'].get.summary", "remove": True},
        {"target": "$", "update": {"x-a": {}}},
        {"target": "$['x-a']", "copy": "$.paths"},
        {"target": "$['x-a']['/a'].get", "remove": True},
    )

    copied, paths = after["x-a"], after["paths"]
    assert isinstance(copied, dict)
    assert isinstance(paths, dict)
    assert copied["/a"] == {}
    assert paths["/a"] == {"get": {"parameters": [{"name": "q"}, {"name": "r"}]}}


def test_a_target_that_matches_nothing_is_a_warning_where_it_stands() -> None:
    root = api()

    after, (only,) = apply_overlay(root, overlay({"target": "$.no", "update": {}}))

    assert after == root
    assert (only.code, only.severity, only.pointer) == (
        "overlay-no-match",
        "warning",
        "/actions/0/target",
    )


FAULTS: dict[str, tuple[object, str]] = {
    "no object": ([], "overlay /: an overlay is an object"),
    "no version": ({"actions": [{}]}, "overlay /overlay:"),
    "another version": ({"overlay": "2.0.0", "actions": [{}]}, "overlay /overlay: is '2.0.0'"),
    "no actions": (overlay(), "overlay /actions:"),
    "actions that are no list": ({"overlay": "1.0.0", "actions": {}}, "overlay /actions:"),
    "an action that is no object": (overlay(1), "overlay /actions/0: an action"),
    "no target": (overlay({"update": {}}), "overlay /actions/0/target: is a JSONPath"),
    "broken JSONPath": (overlay({"target": "$.a["}), "overlay /actions/0/target: "),
    "empty JSONPath": (overlay({"target": ""}), "overlay /actions/0/target: "),
    "JSONPath beyond the RFC": (overlay({"target": "$.a | $.b"}), "overlay /actions/0/target: "),
    "a long JSONPath": (overlay({"target": "$" + ".a" * 1_001}), "longer than 2,000"),
    "a deep JSONPath": (
        overlay({"target": f"$[?{'(' * 900}@.a{')' * 900}]"}),
        "overlay /actions/0/target: ",
    ),
    "remove that is no flag": (
        overlay({"target": "$.a", "remove": "yes"}),
        "overlay /actions/0/remove: is true or false",
    ),
    "remove all": (overlay({"target": "$", "remove": True}), "overlay /actions/0/remove:"),
    "replace all": (overlay({"target": "$", "update": 1}), "overlay /actions/0/update:"),
    "another kind below": (
        overlay({"target": "$"}, {"target": "$", "update": {"info": {"title": {}}}}),
        "overlay /actions/1/update/info/title: cannot be merged",
    ),
    "copy and update": (
        overlay({"target": "$", "update": {}, "copy": "$"}),
        "overlay /actions/0: `copy` and `update`",
    ),
    "an update that is too deep": (
        overlay({"target": "$", "update": nested(300)}),
        "overlay /actions/0/update: nested deeper than 200 levels",
    ),
    "copy of nothing": (
        overlay({"target": "$", "copy": "$.no"}),
        "/actions/0/copy: matches nothing",
    ),
    "copy of several": (
        overlay({"target": "$", "copy": "$.tags[*]"}),
        "/actions/0/copy: matches more than 1 places",
    ),
    "too many actions": (
        overlay(*[{"target": "$"}] * (overlays.MAX_ACTIONS + 1)),
        "overlay /actions: more than 1,000",
    ),
    "depth by nesting": (
        overlay(
            {"target": "$", "update": {"x": {"x": {}}}},
            *[{"target": "$.x.x", "copy": "$.x"}] * 250,
        ),
        "nested deeper than 200 levels",
    ),
    "a search in too much depth": (
        overlay(
            {"target": "$", "update": {"x": {"x": {}}}},
            *[{"target": "$.x.x", "copy": "$.x"}] * 190,
            {"target": "$..x", "update": {}},
        ),
        "overlay /actions/191/target: recursion limit",
    ),
}


@pytest.mark.parametrize(("document", "message"), FAULTS.values(), ids=FAULTS)
def test_a_malformed_overlay_is_refused_with_its_place(document: object, message: str) -> None:
    with pytest.raises(DescriptionError) as raised:
        apply_overlay(api(), document)

    assert message in str(raised.value)


def test_too_many_matches_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlays, "MAX_MATCHES", 4)

    with pytest.raises(DescriptionError, match="matches more than 1 places"):
        apply_overlay(
            api(),
            overlay({"target": "$.tags[*]", "update": "x"}, {"target": "$.paths.*", "update": {}}),
        )


def test_an_overlay_has_so_many_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlays, "MAX_STEPS", 100)
    endless = {"target": "$..[?count($..*) > 0]", "update": {}}

    with pytest.raises(DescriptionError, match=r"^overlay /actions/1/target: .* 100 steps$"):
        apply_overlay(api(), overlay({"target": "$.info", "update": {"x": 1}}, endless))


@pytest.mark.parametrize(
    "target",
    ["$.tags[?match(@, '(')]", "$.tags[?search(@, 1)]", "$.paths[?search(@, 'a')]"],
    ids=["no pattern", "a number for a pattern", "an object for a text"],
)
def test_what_is_no_pattern_or_no_text_matches_nothing(target: str) -> None:
    root = {**api(), "tags": ["a", "\ud800"]}

    after, findings = apply_overlay(root, overlay({"target": target, "remove": True}))

    assert after == root
    assert len(findings) == 1


def test_text_that_is_no_unicode_does_not_disturb_the_search() -> None:
    root = {**api(), "tags": ["a", "\ud800"]}

    after, _ = apply_overlay(root, overlay({"target": "$.tags[?match(@, 'a')]", "remove": True}))

    assert after["tags"] == ["\ud800"]


def test_growth_by_doubling_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlays, "MAX_MERGED_VALUES", 10_000)
    grown = [{"target": "$.x", "copy": "$.x"}] * 30

    with pytest.raises(DescriptionError, match="the overlay adds more than 10,000 values"):
        apply_overlay(api(), overlay({"target": "$", "update": {"x": [1, 2]}}, *grown))


def test_a_pattern_that_backtracks_without_end_elsewhere_ends_here() -> None:
    root = {**api(), "tags": ["a" * 5_000 + "!"]}

    after, _ = apply_overlay(
        root, overlay({"target": "$.tags[?match(@, '(a+)+')]", "remove": True})
    )

    assert after == root


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=10,
)
TARGETS = st.sampled_from(
    ("$", "$.a", "$..a", "$.*", "$..*", "$[0]", "$..[0]", "$.a[?@.b]", "$.b..c", "$[", "$.a[::-1]")
)
ACTIONS = st.fixed_dictionaries(
    {"target": TARGETS}, optional={"update": VALUES, "remove": st.booleans(), "copy": TARGETS}
)


@settings(max_examples=200, deadline=None)
@given(
    root=st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3),
    actions=st.lists(ACTIONS, max_size=4),
)
def test_any_overlay_gives_an_object_or_an_error_and_changes_nothing_else(
    root: Json, actions: list[Json]
) -> None:
    kept = deepcopy((root, actions))
    try:
        after, _ = apply_overlay(root, overlay(*actions))
    except DescriptionError:
        pass
    else:
        assert isinstance(after, dict)
    assert (root, actions) == kept
