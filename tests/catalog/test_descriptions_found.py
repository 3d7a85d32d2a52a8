"""Whole descriptions, real ones where they are there: nothing is lost, all is publishable."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from gateway.catalog import ApiCatalog, Catalog, read_catalog
from gateway.dialects import ocp_tool
from gateway.openapi import Description, Document, read_description
from gateway.sources import Snapshot, Source, parse
from tests.support.descriptions_found import FOUND, OWN
from tests.support.documents import shuffled
from tests.support.proofs import declared, faults_of, unaccounted


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    path: Path
    snapshot: Snapshot
    description: Description
    catalog: ApiCatalog


@pytest.fixture(scope="module", params=FOUND, ids=lambda path: path.stem)
def found(request: pytest.FixtureRequest) -> Found:
    snapshot = asyncio.run(Source(str(request.param)).read())
    assert snapshot is not None
    description = read_description(snapshot.open().document, api="api")
    return Found(
        path=request.param,
        snapshot=snapshot,
        description=description,
        catalog=read_catalog(description),
    )


def test_every_operation_is_a_tool_or_has_a_named_problem(found: Found) -> None:
    assert unaccounted(found.description, found.catalog) == set()


def test_real_descriptions_lose_no_operation(found: Found) -> None:
    errors = [p for p in found.catalog.problems if p.severity == "error"]

    assert found.catalog.tools
    assert found.path in OWN or errors == []
    assert errors or len(found.catalog.tools) == len(declared(found.description))


def test_every_tool_and_schema_is_publishable(found: Found) -> None:
    assert list(faults_of(found.description, found.catalog)) == []


def test_the_order_of_paths_changes_no_byte(found: Found) -> None:
    root = found.description.document.root
    paths = root["paths"]
    assert isinstance(paths, dict)
    backwards = dict(sorted(paths.items(), key=lambda item: item[0][::-1]))
    parts = {path: parse(data) for path, data in found.snapshot.texts.parts.items()}

    assert published(again(found, {**root, "paths": backwards}, parts)) == published(found.catalog)


def test_no_order_of_members_changes_a_digest_or_a_problem(found: Found) -> None:
    root = shuffled(found.description.document.root, 7)
    parts = {path: shuffled(parse(data), 3) for path, data in found.snapshot.texts.parts.items()}
    assert isinstance(root, dict)
    made = again(found, root, parts)

    assert Catalog([made]).digest == Catalog([found.catalog]).digest
    assert set(made.problems) == set(found.catalog.problems)


def published(catalog: ApiCatalog) -> list[bytes]:
    return [orjson.dumps(ocp_tool(tool)) for tool in catalog.tools.values()]


def again(found: Found, root: Mapping[str, object], parts: Mapping[str, object]) -> ApiCatalog:
    """The catalog of the same description in these values."""
    refused, name = found.snapshot.texts.refused, found.snapshot.place.name
    document = Document(root, parts=parts, refused=refused, name=name)
    return read_catalog(read_description(document, api="api"))
