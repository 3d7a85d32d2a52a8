"""Event ids that say what has been heard."""

import pytest

from gateway.catalog import (
    Catalog,
    Declared,
    Prompt,
    PromptMessage,
    Subject,
    ToolPart,
    Topic,
    read_catalog,
)
from gateway.mcp import Heard, heard_of, missed, read_event_id
from gateway.openapi import read_description
from tests.support.mcp_core import DESCRIPTION, catalog

TOOL, GONE = "gateway://tools/listPets", "gateway://tools/dropPet"


def changed_catalog() -> Catalog:
    """One tool less, under another title."""
    paths = {"/pets": DESCRIPTION["paths"]["/pets"]}  # type: ignore[index]
    info = {"title": "Animals", "version": "1"}
    description = {**DESCRIPTION, "paths": paths, "info": info}
    return Catalog([read_catalog(read_description(description, api="pets"))])


def test_an_id_says_what_was_heard_and_is_fit_for_a_header() -> None:
    heard = heard_of(catalog(), None, (TOOL,))
    event_id = heard.event_id("a1b2.3")
    assert read_event_id(event_id) == heard
    assert event_id.isascii()
    assert event_id.isprintable()
    assert " " not in event_id


@pytest.mark.parametrize(
    "event_id",
    [
        pytest.param("", id="nothing"),
        pytest.param("c1", id="no digests"),
        pytest.param("7", id="a number"),
        pytest.param("c1.a.b.c.d.e", id="short ones"),
        pytest.param(".".join(["c1", *["A" * 12] * 3, "x"]), id="one too few"),
        pytest.param(".".join(["c2", *["A" * 12] * 4, "x"]), id="of another form"),
        pytest.param(".".join(["c1", *["A" * 12] * 4, "x" * 200]), id="too long"),
    ],
)
def test_an_id_of_somebody_else_says_nothing(event_id: str) -> None:
    assert read_event_id(event_id) is None


def test_who_comes_back_is_told_what_is_different_now() -> None:
    before, after = catalog(), changed_catalog()
    heard, now = heard_of(before, None, (GONE,)), heard_of(after, None, (GONE,))
    assert missed(heard, heard, (GONE,)) == ()
    assert missed(heard, now, (GONE,)) == (Topic.TOOLS, Topic.RESOURCES, GONE)
    assert missed(heard_of(before, None, (TOOL,)), heard_of(after, None, (TOOL,)), (TOOL,)) == (
        Topic.TOOLS,
        Topic.RESOURCES,
    )


def test_prompts_that_went_with_their_tool_are_told_of() -> None:
    message = PromptMessage(role="user", part=ToolPart(tool="dropPet"))
    prompt = Prompt(name="p", description="P", messages=(message,))
    declared = Declared(prompts=(prompt,))
    heard, now = (heard_of(each, "pets", (), declared) for each in (catalog(), changed_catalog()))
    news = missed(heard, now, ())
    assert news == (Topic.TOOLS, Topic.RESOURCES, Topic.PROMPTS)
    for subject in news:
        heard = heard.with_news(now, subject, last=subject is news[-1])
    assert heard == now
    assert read_event_id(now.event_id("m.1")) == now


def test_a_stream_that_breaks_between_two_notices_leaves_the_rest_to_be_told() -> None:
    before, after = catalog(), changed_catalog()
    uris = (GONE, "gateway://tools/setPet")
    now = heard_of(after, None, uris)
    news: tuple[Subject, ...] = (Topic.TOOLS, Topic.RESOURCES, *uris)
    left = [
        (Topic.RESOURCES, *uris),
        uris,
        uris,  # one digest stands for both: told again rather than never
        (),
    ]
    heard: Heard = heard_of(before, None, uris)
    for subject, expected in zip(news, left, strict=True):
        heard = heard.with_news(now, subject, last=subject == news[-1])
        assert missed(heard, now, uris) == expected
