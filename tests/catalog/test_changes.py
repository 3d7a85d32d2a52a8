"""What of a catalog can be seen to become another."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from gateway.catalog import (
    ApiCatalog,
    Catalog,
    Declared,
    DeclaredResource,
    Prompt,
    PromptMessage,
    Subject,
    ToolPart,
    Topic,
    can_be_told,
    read_catalog,
    read_template,
    state_of,
)
from gateway.openapi import read_description


def api(name: str = "pets", *, title: str = "Pets", **operations: str) -> ApiCatalog:
    """An API with these operations and their summaries."""
    done: Mapping[str, object] = {"200": {"description": "ok"}}
    paths = {
        f"/{key}": {"get": {"operationId": key, "summary": text, "responses": done}}
        for key, text in operations.items()
    }
    description = {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1"},
        "paths": paths,
    }
    return read_catalog(read_description(description, api=name))


OTHER = api("shop", title="Shop", buy="Buy")
BEFORE = api(listPets="All pets", getPet="One pet")
PETS_URI = "gateway://apis/pets/openapi"
LISTS = (Topic.TOOLS, Topic.RESOURCES)
WITHOUT = api(listPets="All pets")


def changed(after: ApiCatalog, subject: Subject, view: str | None) -> bool:
    old, new = Catalog([BEFORE, OTHER]), Catalog([after, OTHER])
    return state_of(old, view, subject) != state_of(new, view, subject)


@pytest.mark.parametrize(
    ("after", "subjects"),
    [
        pytest.param(api(listPets="All pets", getPet="One pet"), set(), id="the same anew"),
        pytest.param(
            api(listPets="All pets", getPet="A pet"),
            {Topic.TOOLS, PETS_URI, "gateway://tools/getPet"},
            id="another text of one tool",
        ),
        pytest.param(
            api(listPets="All pets"),
            {Topic.TOOLS, PETS_URI, "gateway://tools/getPet"},
            id="a tool less",
        ),
        pytest.param(
            api(title="Animals", listPets="All pets", getPet="One pet"),
            {Topic.RESOURCES},
            id="another title",
        ),
        pytest.param(replace(BEFORE, origin="b"), {PETS_URI}, id="another text, the same tools"),
    ],
)
@pytest.mark.parametrize("view", [None, "pets"])
def test_what_is_another_one_and_nothing_else(
    after: ApiCatalog, subjects: set[Subject], view: str | None
) -> None:
    every: list[Subject] = [
        *LISTS,
        PETS_URI,
        "gateway://tools/getPet",
        "gateway://tools/listPets",
        "gateway://apis/shop/openapi",
        "gateway://tools/buy",
    ]
    assert {subject for subject in every if changed(after, subject, view)} == subjects


@pytest.mark.parametrize(
    "subject", [*LISTS, "gateway://apis/shop/openapi", "gateway://tools/buy"], ids=str
)
def test_the_view_of_one_api_knows_nothing_of_another(subject: Subject) -> None:
    after = Catalog([BEFORE, api("shop", title="Mall", sell="Sell")])
    before = Catalog([BEFORE, OTHER])

    assert state_of(before, "pets", subject) == state_of(after, "pets", subject)
    assert state_of(before, None, subject) != state_of(after, None, subject)


@pytest.mark.parametrize("subject", [*LISTS, PETS_URI, "gateway://tools/getPet"], ids=str)
def test_an_api_that_is_not_there_has_no_state(subject: Subject) -> None:
    assert state_of(Catalog([OTHER]), "pets", subject) == ""
    assert state_of(Catalog([BEFORE]), "pets", subject) != ""


def test_a_uri_of_nothing_has_no_state() -> None:
    assert state_of(Catalog([BEFORE]), None, "gateway://tools/nothing") == ""
    assert state_of(Catalog([BEFORE]), None, "file:///etc/passwd") == ""


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("gateway://apis/pets/openapi", True),
        ("gateway://apis/nowhere/openapi", True),
        ("gateway://tools/getPet", True),
        ("gateway://context", False),
        ("gateway://contexts/ocp-1", False),
        ("gateway://results/" + "0" * 32, False),
        ("test://static-text", False),
        ("", False),
    ],
)
def test_only_changes_of_what_follows_from_descriptions_can_be_told(
    uri: str, expected: bool
) -> None:
    assert can_be_told(uri) is expected


def declared_for(tool: str) -> Declared:
    """One resource and one prompt, both made by `tool`."""
    message = PromptMessage(role="user", part=ToolPart(tool=tool))
    prompt = Prompt(name="ask", description="Asks", messages=(message,))
    resource = DeclaredResource(uri="test://x", name="x", tool=tool)
    return Declared(resources=(resource,), prompts=(prompt,))


@pytest.mark.parametrize(
    ("view", "tool", "changed_lists"),
    [
        pytest.param("pets", "getPet", {Topic.RESOURCES, Topic.PROMPTS}, id="its tool goes"),
        pytest.param("pets", "listPets", set(), id="its tool stays"),
        pytest.param("shop", "getPet", set(), id="the tool of another API goes"),
        pytest.param(None, "getPet", set(), id="where entries stay without their tool"),
    ],
)
def test_what_is_declared_goes_and_comes_with_its_tool(
    view: str | None, tool: str, changed_lists: set[Topic]
) -> None:
    before, after, declared = (
        Catalog([BEFORE, OTHER]),
        Catalog([WITHOUT, OTHER]),
        declared_for(tool),
    )
    there, gone = (
        {
            topic: state_of(each, view, topic, declared)
            for topic in Topic
            if topic is not Topic.TOOLS
        }
        for each in (before, after)
    )
    assert {topic for topic in there if there[topic] != gone[topic]} == changed_lists


def test_a_template_goes_with_its_tool_as_well() -> None:
    template = read_template("test://{id}")
    resource = DeclaredResource(uri="test://{id}", name="x", template=template, tool="getPet")
    declared = Declared(resources=(resource,))
    states = {
        state_of(Catalog([each]), "pets", Topic.RESOURCES, declared) for each in (BEFORE, WITHOUT)
    }
    assert len(states) == 2


def test_the_list_of_no_prompts_never_changes() -> None:
    for catalog in (Catalog([BEFORE]), Catalog([WITHOUT]), Catalog([OTHER])):
        assert state_of(catalog, "pets", Topic.PROMPTS) == ""
