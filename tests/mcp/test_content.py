"""Content blocks in each revision's words."""

import pytest

from gateway.calls import Audio, Image, Link, Resource, Text
from gateway.mcp.content import render_content
from gateway.mcp.revisions import LEGACY, V2024_11_05, V2025_03_26, V2026_07_28, Revision

REVISIONS = (*LEGACY, V2026_07_28)
OLD = (V2024_11_05, V2025_03_26)
LINK = Link(
    uri="https://pets.test/1",
    name="pet",
    title="A pet",
    description="With papers.",
    media_type="image/png",
    size=12,
)
NOTES = {"audience": ["user"], "priority": 0.5, "lastModified": "2026-01-01T00:00:00Z"}
META = {"test.example/x": 1}


@pytest.mark.parametrize("revision", REVISIONS, ids=lambda revision: revision.name)
def test_a_link_is_a_block_or_words(revision: Revision) -> None:
    block = {
        "type": "resource_link",
        "uri": "https://pets.test/1",
        "name": "pet",
        "title": "A pet",
        "description": "With papers.",
        "mimeType": "image/png",
        "size": 12,
    }
    words = "[A pet: https://pets.test/1 (image/png, 12 bytes)] With papers."
    assert render_content(LINK, revision, 0) == (
        {"type": "text", "text": words} if revision in OLD else block
    )


@pytest.mark.parametrize(
    ("link", "words"),
    [
        (Link(uri="u:1", name="one"), "[one: u:1]"),
        (Link(uri="u:1", name="one", size=0), "[one: u:1 (0 bytes)]"),
        (Link(uri="u:1", name="one", media_type="a/b", description="D"), "[one: u:1 (a/b)] D"),
    ],
)
def test_a_link_in_few_words(link: Link, words: str) -> None:
    assert render_content(link, V2024_11_05, 0)["text"] == words
    told = render_content(link, V2026_07_28, 0)
    assert {"title", "mimeType"}.isdisjoint(told) or link.media_type is not None


@pytest.mark.parametrize("revision", REVISIONS, ids=lambda revision: revision.name)
@pytest.mark.parametrize(
    "block",
    [
        Text(text="x", annotations=NOTES, meta=META),
        Image(data="AAAA", media_type="image/png", annotations=NOTES, meta=META),
        Audio(data="AAAA", media_type="audio/wav", annotations=NOTES, meta=META),
        Resource(uri="u:1", media_type=None, text="x", annotations=NOTES, meta=META),
        Link(uri="u:1", name="one", annotations=NOTES, meta=META),
    ],
    ids=lambda block: type(block).__name__,
)
def test_what_a_block_says_of_itself_goes_as_far_as_the_revision(
    block: Text | Image | Audio | Resource | Link, revision: Revision
) -> None:
    told = render_content(block, revision, 0)
    notes = {key: value for key, value in NOTES.items() if key != "lastModified"}
    assert told["annotations"] == (notes if revision in OLD else NOTES)
    assert told.get("_meta") == (None if revision in OLD else META)


@pytest.mark.parametrize("revision", REVISIONS, ids=lambda revision: revision.name)
def test_a_resource_has_words_of_its_own(revision: Revision) -> None:
    block = Resource(uri="u:1", media_type=None, blob="AAAA", contents_meta=META)
    told = render_content(block, revision, 0)["resource"]
    own = {} if revision in OLD else {"_meta": META}
    assert told == {"uri": "u:1", "blob": "AAAA", **own}
