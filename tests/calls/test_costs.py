"""What explaining a refusal may cost, known before it is tried."""

from math import inf

import pytest

from gateway.calls.costs import count_nodes, plain, weigh

F = {"$ref": "#/$defs/F"}


@pytest.mark.parametrize(
    ("definition", "weight"),
    [
        pytest.param({"properties": {"next": F}}, 3, id="a list of one kind"),
        pytest.param({"properties": {"a": F, "b": {"items": F}}}, 4, id="a tree of one kind"),
        pytest.param({"allOf": [{}, {"properties": {"next": F}}]}, 5, id="inheritance"),
        pytest.param({"allOf": [{"items": F}, {"items": F}]}, inf, id="the same twice"),
        pytest.param({"anyOf": [{"type": "null"}, {"items": F}]}, inf, id="an alternative"),
        pytest.param({"items": {"not": F}}, inf, id="a negation"),
        pytest.param({"properties": {"x": F}, "patternProperties": {"x": F}}, inf, id="patterns"),
        pytest.param({"items": F, "unevaluatedItems": False}, inf, id="unevaluated"),
        pytest.param({"items": {"$ref": "#/$defs/F/items"}}, inf, id="a reference elsewhere"),
        pytest.param({"items": {"$ref": "#/$defs/G"}}, inf, id="an alternative further on"),
        pytest.param({"enum": list(range(100))}, 12, id="an enum"),
        pytest.param(True, 2, id="anything"),
    ],
)
def test_weight(definition: object, weight: float) -> None:
    defs = {"F": definition, "G": {"oneOf": [F, {"type": "string"}]}}
    assert weigh({"$ref": "#/$defs/F", "$defs": defs}) == weight


def test_weight_of_alternatives_of_alternatives() -> None:
    assert weigh({"anyOf": [{"anyOf": [{}] * 40}] * 40}) == 1 + 40 * 41


def test_a_long_chain_of_references_is_weighed() -> None:
    defs: dict[str, object] = {
        f"{n}": {"items": {"$ref": f"#/$defs/{n + 1}"}} for n in range(5_000)
    }
    assert weigh({"$ref": "#/$defs/0", "$defs": {**defs, "5000": {}}}) == 10_002


def test_plain_keeps_names_and_data_that_look_like_keywords() -> None:
    short, long = list(range(50)), list(range(51))
    assert plain(
        {
            "properties": {"anyOf": {"enum": short, "not": {}}, "enum": {"enum": long}},
            "default": {"anyOf": []},
            "items": {"oneOf": [], "allOf": [{"if": {}, "type": "string"}]},
            "$defs": {"not": {"uniqueItems": True}},
        }
    ) == {
        "properties": {"anyOf": {"enum": short}, "enum": {}},
        "default": {"anyOf": []},
        "items": {"allOf": [{"type": "string"}]},
        "$defs": {"not": {}},
    }


def test_nodes_are_counted_up_to_the_limit() -> None:
    assert count_nodes({"a": [1, {"b": ()}]}, 100) == 5
    assert count_nodes([[0] * 1_000_000], 10) > 10
