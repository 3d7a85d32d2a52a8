"""Descriptions in several documents."""

import os
from pathlib import Path

import pytest

from gateway.catalog import Catalog, read_catalog
from gateway.openapi import Description, Document, read_description
from gateway.sources import loading
from gateway.sources import parts as parts_module
from gateway.sources.loading import parse
from gateway.sources.part_readers import FileParts
from gateway.sources.parts import PartRefused, Parts, collect_parts, may_have_parts
from gateway.sources.texts import Place
from tests.support.descriptions_found import SPLIT

ROOT = """
openapi: 3.1.0
paths:
  /pets:
    $ref: paths/pets.yaml
  /tags/{id}:
    get: {$ref: paths/tags.yaml#/get}
  /lost:
    get:
      parameters: [{$ref: '../outside.yaml#/p'}]
components:
  schemas:
    Kind: {enum: [cat, dog]}
"""
PETS = """
get:
  operationId: listPets
  parameters:
    - {name: kind, in: query, schema: {$ref: '../root.yaml#/components/schemas/Kind'}}
    - {name: pet, in: query, schema: {$ref: ../models/pet.yaml}}
"""
TAGS = """
get:
  operationId: getTag
  parameters: [{name: id, in: path, required: true, schema: {$ref: ../models/tag.yaml#/Id}}]
"""
PET = """
type: object
properties:
  tag: {$ref: tag.yaml#/Tag}
  friend: {$ref: '#'}
  example: {$ref: tag.yaml#/Id}
example: {$ref: nowhere.yaml}
x-source: {$ref: nowhere.yaml}
"""
TAG = "Tag: {type: string}\nId: {type: integer}\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    home = tmp_path / "api"
    for name, text in {
        "root.yaml": ROOT,
        "paths/pets.yaml": PETS,
        "paths/tags.yaml": TAGS,
        "models/pet.yaml": PET,
        "models/tag.yaml": TAG,
        "../outside.yaml": "p: {name: secret, in: query}",
    }.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    return home / "root.yaml"


def read(path: Path) -> Description:
    value, found = parse(path.read_bytes()), collect(path)
    assert isinstance(value, dict)
    document = Document(value, parts=found.found, refused=found.refused, name=path.name)
    return read_description(document, api="split")


def collect(path: Path) -> Parts:
    return collect_parts(parse(path.read_bytes()), FileParts(path), Place(name=path.name))


def read_one(path: Path, name: str) -> bytes | PartRefused:
    (found,) = FileParts(path)([name])
    return found


def test_operations_and_schemas_come_from_where_they_stand(root: Path) -> None:
    description = read(root)
    catalog = read_catalog(description)
    assert list(catalog.tools) == ["getTag", "listPets"]
    assert catalog.tools["listPets"].input_schema["$defs"] == {
        "Kind": {"enum": ["cat", "dog"]},
        "Tag": {"type": "string"},
        "Id": {"type": "integer"},
        "pet": {
            "type": "object",
            "properties": {
                "tag": {"$ref": "#/$defs/Tag"},
                "friend": {"$ref": "#/$defs/pet"},
                "example": {"$ref": "#/$defs/Id"},
            },
            "examples": [{"$ref": "nowhere.yaml"}],
        },
    }


def test_what_stands_outside_the_directory_costs_its_operation_only(root: Path) -> None:
    problems = [(p.pointer, p.severity) for p in read(root).problems]
    assert problems == [("/paths/~1lost/get/parameters/0", "error")]


def test_data_is_not_followed(root: Path) -> None:
    found = collect(root)
    assert sorted(found.found) == [
        "models/pet.yaml",
        "models/tag.yaml",
        "paths/pets.yaml",
        "paths/tags.yaml",
    ]
    assert found.refused == {}


def test_what_answers_by_default_is_no_data(tmp_path: Path) -> None:
    path = tmp_path / "root.yaml"
    path.write_text(
        "openapi: 3.1.0\npaths: {/a: {get: {responses: {default: {$ref: answer.yaml}}}}}\n"
    )
    (tmp_path / "answer.yaml").write_text("description: d")
    assert set(collect(path).found) == {"answer.yaml"}


def test_a_link_may_lead_around_inside_and_never_out(root: Path, tmp_path: Path) -> None:
    (root.parent / "in.yaml").symlink_to(root.parent / "models" / "tag.yaml")
    (root.parent / "out.yaml").symlink_to(tmp_path / "outside.yaml")
    inside, outside = FileParts(root)(["in.yaml", "out.yaml"])
    assert inside == TAG.encode()
    assert str(outside) == "leads out of the description's directory"


def test_a_directory_of_links_is_a_directory(root: Path, tmp_path: Path) -> None:
    """As Kubernetes mounts a ConfigMap: each file leads through `..data` to the current version."""
    mount = tmp_path / "mount"
    (mount / "..2026").mkdir(parents=True)
    for name in ("root.yaml", "tag.yaml"):
        (mount / "..2026" / name).write_text(TAG)
        (mount / name).symlink_to(Path("..data") / name)
    (mount / "..data").symlink_to("..2026")
    assert read_one(mount / "root.yaml", "tag.yaml") == TAG.encode()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param("none.yaml", "No such file", id="missing"),
        pytest.param("models", "Is a directory", id="directory"),
        pytest.param("a\0b", "cannot be read", id="NUL"),
        pytest.param("x" * 5000, "File name too long", id="long name"),
    ],
)
def test_what_cannot_be_read_says_why(root: Path, name: str, reason: str) -> None:
    refused = read_one(root, name)
    assert isinstance(refused, PartRefused)
    assert reason in str(refused)


def test_a_pipe_is_no_document(root: Path) -> None:
    os.mkfifo(root.parent / "pipe.yaml")
    assert str(read_one(root, "pipe.yaml")) == "leads to what is no file"


def test_a_part_has_the_bound_of_a_description(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root.parent / "large.yaml").write_bytes(b"a: 1")
    monkeypatch.setattr(loading, "MAX_BYTES", 3)
    assert str(read_one(root, "large.yaml")) == "leads to what is larger than 0 MiB"


def test_a_broken_part_is_named(root: Path) -> None:
    (root.parent / "models" / "tag.yaml").write_text("a: [")
    found = collect(root)
    assert "leads to a document that is broken: not valid YAML" in found.refused["models/tag.yaml"]


def test_there_is_an_end_to_how_many(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts_module, "MAX_PARTS", 2)
    found = collect(root)
    assert len(found.found) == 2
    assert set(found.refused.values()) == {"is one document too many"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('{"$ref": "#/a"}', False, id="local"),
        pytest.param("$ref: '#/a'", False, id="local YAML"),
        pytest.param('{"$ref" : "a.json"}', True, id="JSON"),
        pytest.param("$ref: a.yaml#/x", True, id="YAML"),
        pytest.param("$ref:\n  a.yaml", True, id="on the next line"),
        pytest.param("$ref: >-\n  a.yaml", True, id="block"),
        pytest.param("'$ref': &x a.yaml", True, id="anchored"),
        pytest.param('{"$ref":\n"#/a"}', False, id="local on the next line"),
        pytest.param("$ref: ", False, id="nothing"),
        pytest.param("text", False, id="no reference"),
    ],
)
def test_a_look_at_the_text_tells_whether_there_are_others(text: str, expected: bool) -> None:
    assert may_have_parts(text.encode()) is expected


@pytest.mark.parametrize("path", SPLIT, ids=[path.name for path in SPLIT])
def test_real_split_descriptions_lose_nothing(path: Path) -> None:
    description = read(path)
    assert description.problems == ()
    assert len(description.operations) == len(description.signatures) > 0
    assert len(Catalog([read_catalog(description)]).view().tools) == len(description.operations)
