from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import jsonschema_rs
import pytest

from gateway.catalog import BodyMode, Tool
from gateway.openapi import Document, Node
from gateway.openapi.discriminators import MAX_CHOICES, Discriminators
from gateway.openapi.patterns import Patterns
from gateway.openapi.reach import Reach
from tests.support.documents import document, only_tool, operation, problems, query, shuffled

Json = dict[str, object]


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def pet(mapping: object = None, **members: object) -> Json:
    """An object that a discriminator tells apart."""
    discriminator: Json = {"propertyName": "kind"}
    if mapping is not None:
        discriminator["mapping"] = mapping
    properties = {"kind": {"type": "string"}}
    return {"type": "object", "properties": properties, "discriminator": discriminator, **members}


def heir(of: str, **properties: object) -> Json:
    return {"allOf": [ref(of), {"type": "object", "properties": properties}]}


def root(schema: object, **schemas: object) -> Json:
    item = {"post": operation(body=schema)}
    return document({"/pets": item}, components={"schemas": schemas})


def tool(schema: object, **schemas: object) -> Tool:
    return only_tool(root(schema, **schemas))


def definitions(found: Tool) -> Mapping[str, object]:
    made = found.input_schema.get("$defs", {})
    assert isinstance(made, dict)
    return made


def mapping(found: Tool, name: str = "Pet") -> object:
    definition = definitions(found)[name]
    assert isinstance(definition, dict)
    return definition["discriminator"].get("mapping")


CAT = heir("Pet", claws={"type": "integer"})


@pytest.mark.parametrize(
    "value", [{"c": "#/components/schemas/Cat"}, {"c": "Cat"}, None], ids=["ref", "name", "unnamed"]
)
def test_a_body_with_a_discriminator_takes_the_members_of_its_heirs(value: object) -> None:
    found = tool(ref("Pet"), Pet=pet(value), Cat=CAT)
    assert found.arguments.body_mode is BodyMode.WHOLE
    validator = jsonschema_rs.Draft202012Validator(found.input_schema, offline=True)
    assert validator.is_valid({"body": {"kind": "c", "claws": 8}})
    assert mapping(found) == {"c" if value else "Cat": "#/$defs/Cat"}
    assert definitions(found)["Cat"] == {
        "allOf": [
            {"$ref": "#/$defs/Pet"},
            {"type": "object", "properties": {"claws": {"type": "integer"}}},
        ]
    }


def test_the_heirs_of_heirs_are_chosen_among_each_once() -> None:
    found = tool(ref("Pet"), Pet=pet({"cat": "Cat"}), Cat=CAT, Lion=heir("Cat", mane={}), Toy={})
    assert mapping(found) == {"cat": "#/$defs/Cat", "Lion": "#/$defs/Lion"}
    assert definitions(found).keys() == {"Pet", "Cat", "Lion"}


def test_schemas_that_extend_each_other_end() -> None:
    found = tool(ref("Pet"), Pet=pet(allOf=[ref("Cat")]), Cat=CAT)
    assert mapping(found) == {"Cat": "#/$defs/Cat"}


def test_a_discriminator_inside_another_schema_has_no_heirs_but_its_mapping() -> None:
    box = {"properties": {"a": pet({"c": "Cat"})}}
    found = tool({"allOf": [ref("Box")]}, Box=box, Lid=heir("Box"), Pet=pet(), Cat=CAT)
    inner = definitions(found)["Box"]
    assert isinstance(inner, dict)
    assert inner["properties"]["a"]["discriminator"] == {
        "propertyName": "kind",
        "mapping": {"c": "#/$defs/Cat"},
    }


@pytest.mark.parametrize(
    "target",
    [
        pytest.param("#/components/schemas/Nope", id="nothing there"),
        pytest.param("Nope", id="no such name"),
        pytest.param("https://example.com/cat.json", id="elsewhere"),
        pytest.param("#/info/title", id="no schema"),
        pytest.param("", id="empty"),
        pytest.param(5, id="no text"),
        pytest.param("Broken", id="with a dangling reference of its own"),
        pytest.param("Endless", id="a reference to itself"),
    ],
)
def test_what_a_mapping_names_in_vain_costs_nothing_else(target: object) -> None:
    described = root(
        ref("Pet"),
        Pet=pet({"c": "Cat", "x": target}),
        Cat=CAT,
        Broken={"properties": {"a": ref("Nope")}},
        Endless=ref("Endless"),
    )
    assert problems(described) == []
    found = only_tool(described)
    assert mapping(found) == {"c": "#/$defs/Cat"}
    assert definitions(found).keys() == {"Pet", "Cat"}


def test_where_there_is_nothing_to_choose_the_property_stays() -> None:
    found = tool(ref("Pet"), Pet=pet({"x": "Nope"}))
    assert definitions(found)["Pet"] == {
        "type": "object",
        "properties": {"kind": {"type": "string"}},
        "discriminator": {"propertyName": "kind"},
    }


@pytest.mark.parametrize("more", [0, 1])
def test_of_too_many_choices_none_is_published(more: int) -> None:
    heirs = {f"Heir{i}": heir("Pet") for i in range(MAX_CHOICES + more)}
    found = tool(ref("Pet"), Pet=pet(), **heirs)
    assert len(definitions(found)) == (1 if more else 1 + MAX_CHOICES)
    assert (mapping(found) is None) is bool(more)


def test_what_a_composition_has_anyway_is_never_too_much() -> None:
    heirs = {f"Heir{i}": heir("Base") for i in range(MAX_CHOICES + 1)}
    named = [ref(name) for name in heirs]
    others: dict[str, object] = {name.replace("Heir", "Other"): {} for name in heirs}
    mapped = {name: name for name in (*heirs, *others)}
    found = tool(ref("Pet"), Pet=pet(mapped, oneOf=named), Base={}, **heirs, **others)
    assert mapping(found) == {name: f"#/$defs/{name}" for name in heirs}
    assert definitions(found).keys() == {"Pet", "Base", *heirs}


def test_a_pattern_that_only_a_choice_has_is_reported() -> None:
    described = root(ref("Pet"), Pet=pet({"c": "Cat"}), Cat=heir("Pet", code={"pattern": "("}))
    place = "/components/schemas/Cat/allOf/1/properties/code/pattern"
    assert problems(described) == [(place, "warning")]


def test_a_choice_is_part_of_the_digest_in_bodies_and_in_answers() -> None:
    def digest(cat: object, *, answer: bool) -> str:
        item = operation(**{"answer" if answer else "body": ref("Pet")})  # type: ignore[arg-type]
        schemas = {"Pet": pet(), "Cat": cat}
        return only_tool(document({"/p": {"post": item}}, components={"schemas": schemas})).digest

    for answer in (False, True):
        assert digest(CAT, answer=answer) != digest(heir("Pet", claws={}), answer=answer)


def test_the_order_of_the_document_changes_nothing() -> None:
    described = root(ref("Pet"), Pet=pet({"c": "Cat"}), Cat=CAT, Dog=heir("Pet"), Hen=heir("Dog"))
    assert only_tool(shuffled(described, 1)).digest == only_tool(described).digest


def test_swagger_2_names_the_property_only() -> None:
    found = only_tool(
        {
            "swagger": "2.0",
            "paths": {
                "/pets": {
                    "post": {
                        "parameters": [
                            {"name": "pet", "in": "body", "schema": {"$ref": "#/definitions/Pet"}}
                        ]
                    }
                }
            },
            "definitions": {
                "Pet": {"type": "object", "properties": {"kind": {}}, "discriminator": "kind"},
                "Cat": {"allOf": [{"$ref": "#/definitions/Pet"}]},
            },
        }
    )
    assert found.arguments.body_mode is BodyMode.WHOLE
    assert mapping(found) == {"Cat": "#/$defs/Cat"}


def test_a_later_operation_sees_the_same_choices_as_the_first() -> None:
    # The first is skipped for a reason of its own, after it has looked at the discriminator.
    broken = operation(
        parameters=[query("a", ref("Pet")), query("b", ref("Nope"))], operationId="a"
    )
    paths = {"/a": {"get": broken}, "/b": {"post": operation(body=ref("Pet"))}}
    described = document(paths, components={"schemas": {"Pet": pet(), "Cat": CAT}})
    assert mapping(only_tool(described)) == {"Cat": "#/$defs/Cat"}


class Interrupted(Patterns):
    """Does something the first time that it is asked for a pattern."""

    def __init__(self, document: Document, act: Callable[[], object]) -> None:
        super().__init__(document)
        self._acts = [act]

    def admits(self, text: str) -> bool:
        if self._acts:
            self._acts.pop()()
        return super().admits(text)


@pytest.mark.parametrize("asked", ["Pet", "Owner"], ids=["itself", "through another"])
def test_another_thread_misses_no_choice_that_the_first_one_is_at(asked: str) -> None:
    chooser = pet({"c": "Cat", "d": "Dog"})
    schemas = {
        "Pet": chooser,
        "Owner": {"type": "object", "properties": {"pet": ref("Pet")}},
        "Cat": {"type": "object", "properties": {"a": {"pattern": "^a"}}},
        "Dog": {"type": "object", "properties": {"b": {"pattern": "^b"}}},
    }
    whole = Document({"openapi": "3.1.0", "components": {"schemas": schemas}})
    seen: list[set[str]] = []

    def choices() -> set[str]:
        reach.check(ref(asked), "/paths/2")
        node = Node(value=chooser, pointer="/components/schemas/Pet")
        found = reach.discriminate(chooser, node)
        return set(found.choices) if found is not None else set()

    def elsewhere() -> None:
        with ThreadPoolExecutor() as pool:
            seen.append(pool.submit(choices).result())

    patterns = Interrupted(whole, elsewhere)
    reach = Reach(whole, patterns, Discriminators(whole), ref_siblings=True)
    reach.check(ref("Pet"), "/paths/1")
    assert seen == [{"c", "d"}]
    assert choices() == {"c", "d"}
