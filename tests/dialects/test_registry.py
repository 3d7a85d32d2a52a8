"""APIs in a registry's shapes, and how they are found."""

import pytest

from gateway.catalog import ApiCatalog, Catalog, read_catalog
from gateway.dialects import ocp_tool, registry_line, registry_tools, search_apis
from gateway.openapi import read_description


def api(name: str, title: object = "", about: object = "", **operations: str) -> ApiCatalog:
    root = {
        "openapi": "3.1.0",
        "info": {"title": title, "description": about},
        "paths": {f"/{o}": {"get": {"operationId": o, "responses": {}}} for o in operations},
    }
    return read_catalog(read_description(root, api=name))


@pytest.mark.parametrize(
    ("title", "about", "display_name", "description"),
    [
        ("The Shop", "Sells things.", "The Shop", "Sells things."),
        ("", "", "shop", ""),
        (None, None, "shop", ""),
        (5, ["x"], "shop", ""),
        ("Sh\u200bop", "Sells\u202e things.", "Shop", "Sells things."),
        ("\u200b", " ", "shop", ""),
    ],
    ids=["both", "neither", "null", "no texts", "invisible characters", "nothing visible"],
)
def test_a_line_has_texts_whatever_the_description_has(
    title: object, about: object, display_name: str, description: str
) -> None:
    line = registry_line(api("shop", title, about), base_url="http://gw.example/apis/shop")

    assert line == {
        "name": "shop",
        "display_name": display_name,
        "description": description,
        "base_url": "http://gw.example/apis/shop",
    }


def test_a_long_text_is_cut() -> None:
    line = registry_line(api("shop", about="x" * 10_000), base_url="http://gw.example")
    assert len(str(line["description"])) == 4_096


def test_tools_have_the_names_that_their_own_description_gives() -> None:
    catalog = Catalog([api("shop", list=""), api("store", list="")])

    assert [tool["name"] for tool in registry_tools(catalog.view("shop"))] == ["list"]
    assert registry_tools(catalog.view("shop")) == [
        ocp_tool(tool) for tool in catalog.view("shop").tools.values()
    ]


APIS = (
    api("git", "Git", "Version control"),
    api("github", "GitHub", "Where code lives", listIssues=""),
    api("a-git", "Mine", ""),
    api("lab", "Lab", "Like GIT, but ours"),
    api("hub", "Hub", "", getDigitOfPi=""),
    api("shop", "Shop", "", listIssues=""),
)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("git", ["git", "github", "a-git", "lab", "hub"]),
        (" GIT ", ["git", "github", "a-git", "lab", "hub"]),
        ("issues", ["github", "shop"]),
        ("where code", ["github"]),
        ("githab", []),
        ("", ["a-git", "git", "github", "hub", "lab", "shop"]),
    ],
    ids=["ranked", "any case", "tools", "descriptions", "nothing", "everything"],
)
def test_a_search_finds_the_nearest_first(text: str, names: list[str]) -> None:
    found = search_apis({it.api: it for it in APIS}, text)
    assert [it.api for it in found] == names
