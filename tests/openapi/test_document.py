import pytest

from gateway.openapi import MAX_CHAIN, Document, Node, UnresolvedRef, join

ROOT = {
    "a": {"b": [10, 20]},
    "x/y": 1,
    "m~n": 2,
    "~1": 3,
    "with space": 4,
    "100%": 5,
    "": 6,
    "é": 7,
    "hop1": {"$ref": "#/hop2"},
    "hop2": {"$ref": "#/a"},
    "loop1": {"$ref": "#/loop2"},
    "loop2": {"$ref": "#/loop1"},
    "self": {"$ref": "#/self"},
    "outer": {"$ref": "other.yaml#/x"},
}


@pytest.mark.parametrize(
    ("ref", "value"),
    [
        pytest.param("#/a/b/1", 20, id="list index"),
        pytest.param("#/x~1y", 1, id="escaped slash"),
        pytest.param("#/m~0n", 2, id="escaped tilde"),
        pytest.param("#/~01", 3, id="tilde first, slash never"),
        pytest.param("#/with%20space", 4, id="percent-encoded"),
        pytest.param("#/with space", 4, id="not encoded, as many write it"),
        pytest.param("#/100%25", 5, id="encoded percent"),
        pytest.param("#/", 6, id="empty key"),
        pytest.param("#/%C3%A9", 7, id="encoded UTF-8"),
        pytest.param("#/x%7E1y", 1, id="encoded escape"),
    ],
)
def test_a_local_reference_names_a_part_of_the_document(ref: str, value: object) -> None:
    assert Document(ROOT).lookup(ref, "/here").value == value


@pytest.mark.parametrize(
    ("ref", "reason"),
    [
        pytest.param("#/a/c", "points at nothing", id="no such member"),
        pytest.param("#/a/b/2", "points at nothing", id="beyond the list"),
        pytest.param("#/a/b/-", "points at nothing", id="after the list"),
        pytest.param("#/a/b/-1", "points at nothing", id="negative index"),
        pytest.param("#/a/b/²", "points at nothing", id="superscript digit"),
        pytest.param(f"#/a/b/{'9' * 5000}", "points at nothing", id="endless index"),
        pytest.param("#/x~1y/z", "points at nothing", id="inside a number"),
        pytest.param("#", "is no JSON Pointer to a part", id="whole document"),
        pytest.param("#anchor", "is no JSON Pointer to a part", id="anchor"),
        pytest.param("", "is empty", id="empty"),
        pytest.param("other.yaml#/a", "was not read", id="file"),
        pytest.param("/etc/passwd#/a", "leaves the description's directory", id="absolute path"),
        pytest.param("http://127.0.0.1:9/x", "leaves the description's directory", id="http"),
        pytest.param("file:///etc/passwd", "leaves the description's directory", id="file URL"),
        pytest.param("python://os/x.yaml", "leaves the description's directory", id="python scheme"),
    ],
)
def test_a_reference_elsewhere_is_refused_where_it_stands(ref: str, reason: str) -> None:
    with pytest.raises(UnresolvedRef, match=reason) as caught:
        Document(ROOT).lookup(ref, "/here")
    assert caught.value.pointer == "/here"
    assert len(caught.value.reason) < 200


def test_a_chain_is_followed_to_the_value_and_its_own_pointer() -> None:
    found = Document(ROOT).follow(Node(value=ROOT["hop1"], pointer="/hop1"))
    assert found == Node(value={"b": [10, 20]}, pointer="/a")


@pytest.mark.parametrize("start", ["loop1", "self", "outer"])
def test_a_chain_without_end_or_out_of_the_document_is_refused(start: str) -> None:
    with pytest.raises(UnresolvedRef):
        Document(ROOT).follow(Node(value=ROOT[start], pointer=f"/{start}"))


def test_a_chain_is_followed_up_to_its_limit_and_no_further() -> None:
    root: dict[str, object] = {f"h{i}": {"$ref": f"#/h{i + 1}"} for i in range(MAX_CHAIN + 1)}
    root[f"h{MAX_CHAIN + 1}"] = "end"
    follow = Document(root).follow
    assert follow(Node(value=root["h1"], pointer="/h1")).value == "end"
    with pytest.raises(UnresolvedRef, match="never ends"):
        follow(Node(value=root["h0"], pointer="/h0"))


def test_pointers_are_escaped() -> None:
    assert join("/paths", "/a~b/{c}") == "/paths/~1a~0b~1{c}"
