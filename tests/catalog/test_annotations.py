"""What a description says of its operations' effects."""

import pytest

from gateway.catalog import Tool
from gateway.mcp import V2026_07_28, describe_tool
from gateway.mcp.revisions import V2024_11_05, V2025_03_26, V2025_06_18
from tests.support.documents import document, only_tool, operation


def tool(method: str, extension: object, **members: object) -> Tool:
    item = {**operation(**members), "x-mcp-annotations": extension}  # type: ignore[arg-type]
    return only_tool(document({"/a": {method: item}}))


@pytest.mark.parametrize(
    ("method", "extension", "published"),
    [
        ("post", {"readOnlyHint": True}, {"readOnlyHint": True, "openWorldHint": True}),
        (
            "get",
            {"openWorldHint": False},
            {"readOnlyHint": True, "idempotentHint": True, "openWorldHint": False},
        ),
        (
            "delete",
            {"destructiveHint": False},
            {"destructiveHint": False, "idempotentHint": True, "openWorldHint": True},
        ),
        ("post", {"readOnlyHint": "yes", "x": True, "title": 5}, {"openWorldHint": True}),
        ("post", ["readOnlyHint"], {"openWorldHint": True}),
        ("post", None, {"openWorldHint": True}),
    ],
)
def test_the_extension_comes_before_the_method(
    method: str, extension: object, published: dict[str, bool]
) -> None:
    shown = describe_tool("a", tool(method, extension), V2026_07_28)
    assert shown["annotations"] == published
    assert "title" not in shown


def test_its_title_comes_before_the_summary() -> None:
    assert tool("get", {"title": " Better "}, summary="Worse").title == "Better"
    assert tool("get", {"title": ""}, summary="Worse").title == "Worse"


def test_a_title_stands_where_the_revision_has_its_place() -> None:
    made = tool("post", {"title": "T"})
    hints = {"openWorldHint": True}
    shown = [describe_tool("a", made, revision) for revision in (V2024_11_05, V2025_03_26)]
    assert [each.get("title") for each in shown] == [None, None]
    assert [each.get("annotations") for each in shown] == [None, {**hints, "title": "T"}]
    newer = describe_tool("a", made, V2025_06_18)
    assert (newer["title"], newer["annotations"]) == ("T", hints)


def test_hints_are_part_of_the_digest() -> None:
    plain, hinted = tool("post", None), tool("post", {"readOnlyHint": True})
    assert plain.digest == tool("post", {"readOnlyHint": "yes"}).digest
    assert plain.digest != hinted.digest
