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
        pytest.param("#anchor", "is the name of no schema", id="anchor"),
        pytest.param("#/loop1/x", "never ends", id="through a loop"),
        pytest.param("#/hop1/c", "points at nothing", id="through a reference, to nothing"),
        pytest.param("#/outer/c", "was not read", id="through a reference to elsewhere"),
        pytest.param("", "is empty", id="empty"),
        pytest.param("other.yaml#/a", "was not read", id="file"),
        pytest.param("/etc/passwd#/a", "leaves the description's directory", id="absolute path"),
        pytest.param("http://127.0.0.1:9/x", "leaves the description's directory", id="http"),
        pytest.param("file:///etc/passwd", "leaves the description's directory", id="file URL"),
        pytest.param("python://os/x.yaml", "leaves the description's directory", id="python"),
    ],
)
def test_a_reference_elsewhere_is_refused_where_it_stands(ref: str, reason: str) -> None:
    with pytest.raises(UnresolvedRef, match=reason) as caught:
        Document(ROOT).lookup(ref, "/here")
    assert caught.value.pointer in ("/here", "/loop1", "/loop2", "/outer")
    assert len(caught.value.reason) < 200


@pytest.mark.parametrize(
    ("ref", "pointer"),
    [
        pytest.param("#/hop2/b", "/a/b", id="one"),
        pytest.param("#/hop1/b/1", "/a/b/1", id="two in a row"),
        pytest.param("#/m~0n~1/b/0", "/a/b/0", id="behind an escaped name"),
        pytest.param("#/beside/own", "/beside/own", id="a member beside it first"),
        pytest.param("#/beside/b", "/a/b", id="then the target's"),
    ],
)
def test_a_pointer_passes_through_references(ref: str, pointer: str) -> None:
    through = {"m~n/": {"$ref": "#/hop1"}, "beside": {"$ref": "#/a", "own": 1}}
    document = Document({**ROOT, **through})
    found = document.lookup(ref, "/here")
    assert found.pointer == pointer
    assert document.at(pointer).value == found.value


def test_pointers_through_references_come_to_an_end() -> None:
    """Without a memory the last one would take two to the power of its number."""
    root: dict[str, object] = {"c0": {"x": {"$ref": "#/c0"}}}
    for number in range(1, MAX_CHAIN * 3):
        root[f"c{number}"] = {"$ref": f"#/c{number - 1}/x/x"}
    document = Document(root)
    for number in range(1, MAX_CHAIN * 3):
        assert document.lookup(f"#/c{number}/x", "/here").pointer == "/c0/x"
    with pytest.raises(UnresolvedRef, match="never ends"):
        Document(root).lookup(f"#/c{MAX_CHAIN * 3 - 1}/x", "/here")


ANCHORED = {
    "components": {
        "schemas": {
            "Pet": {
                "$anchor": "pet",
                "properties": {"$anchor": {"type": "string"}, "default": {"$anchor": "inside"}},
                "example": {"$anchor": "data"},
                "x-own": {"$anchor": "extension"},
            },
            "Node": {"$dynamicAnchor": "node", "$anchor": "plain"},
            "One": {"$anchor": "twice"},
            "Other": {"$anchor": "twice"},
            "Id": {"$id": "https://h/schemas/id", "$defs": {"a/b": {"$anchor": "deep"}}},
        },
        "responses": {"default": {"content": {"a/b": {"schema": {"$anchor": "answer"}}}}},
    },
}
SCHEMAS = "/components/schemas"


@pytest.mark.parametrize(
    ("ref", "pointer"),
    [
        pytest.param("#pet", f"{SCHEMAS}/Pet", id="anchor"),
        pytest.param("#inside", f"{SCHEMAS}/Pet/properties/default", id="property named default"),
        pytest.param("#node", f"{SCHEMAS}/Node", id="dynamic anchor"),
        pytest.param("#plain", f"{SCHEMAS}/Node", id="two names"),
        pytest.param("#deep", f"{SCHEMAS}/Id/$defs/a~1b", id="deep"),
        pytest.param(
            "#answer",
            "/components/responses/default/content/a~1b/schema",
            id="in the default answer",
        ),
        pytest.param("https://h/schemas/id", f"{SCHEMAS}/Id", id="$id"),
        pytest.param("https://h/schemas/id#/$defs/a~1b", f"{SCHEMAS}/Id/$defs/a~1b", id="below"),
        pytest.param("https://h/schemas/id#deep", f"{SCHEMAS}/Id/$defs/a~1b", id="$id and anchor"),
    ],
)
def test_schemas_are_found_by_the_names_they_give_themselves(ref: str, pointer: str) -> None:
    document = Document(ANCHORED)
    found = document.lookup(ref, "/here")
    assert found.pointer == pointer
    assert document.at(pointer).value == found.value


@pytest.mark.parametrize(
    ("ref", "reason"),
    [
        pytest.param("#data", "is the name of no schema", id="in an example"),
        pytest.param("#extension", "is the name of no schema", id="in an extension"),
        pytest.param("#twice", "is the name of several schemas", id="twice"),
        pytest.param("#/$defs/x", "points at nothing .`\\$id` changes no", id="relative to $id"),
        pytest.param("https://h/schemas/other", "leaves the descr", id="no such $id"),
    ],
)
def test_what_is_no_name_or_several_schemas_is_refused(ref: str, reason: str) -> None:
    with pytest.raises(UnresolvedRef, match=reason):
        Document(ANCHORED).lookup(ref, f"{SCHEMAS}/Id")


def test_a_name_belongs_to_its_document() -> None:
    parts = {"a.yaml": {"$anchor": "pet", "x": 1}}
    document = Document({**ANCHORED}, parts=parts)
    assert document.lookup("a.yaml#pet", "/here") == Node(value=parts["a.yaml"], pointer="a.yaml#")
    assert document.lookup("#pet", "a.yaml#/x").pointer == "a.yaml#"
    assert document.lookup("#pet", "/here").pointer == f"{SCHEMAS}/Pet"


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


PARTS = {
    "models/pet.yaml": {
        "type": "object",
        "properties": {
            "tag": {"$ref": "tag.yaml"},
            "self": {"$ref": "#"},
            "up": {"$ref": "../root.yaml#/a/b"},
        },
    },
    "models/tag.yaml": {"type": "string"},
    "a b.yaml": {"x": 1},
}


def split() -> Document:
    return Document(
        ROOT,
        parts=PARTS,
        refused={"big.yaml": "leads to a document that is too large"},
        name="root.yaml",
        home="https://h/specs/",
    )


@pytest.mark.parametrize(
    ("ref", "at", "pointer"),
    [
        pytest.param("models/pet.yaml", "/a", "models/pet.yaml#", id="whole document"),
        pytest.param("./models/pet.yaml#", "/a", "models/pet.yaml#", id="empty fragment"),
        pytest.param("models/pet.yaml#/type", "/a", "models/pet.yaml#/type", id="part of one"),
        pytest.param("tag.yaml", "models/pet.yaml#/x", "models/tag.yaml#", id="sibling"),
        pytest.param("#", "models/pet.yaml#/x", "models/pet.yaml#", id="its own whole"),
        pytest.param("#/type", "models/pet.yaml#/x", "models/pet.yaml#/type", id="its own part"),
        pytest.param("../root.yaml#/a/b", "models/pet.yaml#/x", "/a/b", id="back to the root"),
        pytest.param("root.yaml#/a/b", "/x", "/a/b", id="the root by its name"),
        pytest.param("a%20b.yaml#/x", "/x", "a b.yaml#/x", id="encoded"),
        pytest.param("https://h/specs/models/tag.yaml", "/x", "models/tag.yaml#", id="by URL"),
    ],
)
def test_references_reach_other_documents(ref: str, at: str, pointer: str) -> None:
    document = split()
    found = document.lookup(ref, at)
    assert found.pointer == pointer
    assert document.at(found.pointer).value == found.value


@pytest.mark.parametrize(
    ("ref", "at", "reason"),
    [
        pytest.param("none.yaml", "/a", "was not read", id="not there"),
        pytest.param("big.yaml#/a", "/a", "is too large", id="refused"),
        pytest.param("../x.yaml", "/a", "leaves the description's directory", id="above"),
        pytest.param(
            "../../x.yaml", "models/pet.yaml#", "leaves the descr", id="above, from below"
        ),
        pytest.param("%2e%2e/x.yaml", "/a", "leaves the description's directory", id="encoded"),
        pytest.param("..\\x.yaml", "/a", "leaves the description's directory", id="backslash"),
        pytest.param("https://h/other/x", "/a", "leaves the descr", id="elsewhere on the host"),
        pytest.param("https://h/specs/../x", "/a", "leaves the descr", id="URL with dots"),
        pytest.param("~/x.yaml", "/a", "leaves the description's directory", id="home"),
    ],
)
def test_references_stay_in_the_directory(ref: str, at: str, reason: str) -> None:
    with pytest.raises(UnresolvedRef, match=reason):
        split().lookup(ref, at)
