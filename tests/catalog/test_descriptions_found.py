"""Whole descriptions, real ones where they are there: nothing is lost, all is publishable.

Read as the commands read them, with the place of every operation and no `base_url`.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from gateway.catalog import ApiCatalog, Catalog
from gateway.config import ApiConfig
from gateway.dialects import ocp_tool
from gateway.openapi import Description, Document
from gateway.sources import Opened, Snapshot, Source, parse
from gateway.wiring.loading import describe_api
from tests.support.descriptions_found import FOUND, OWN
from tests.support.documents import shuffled
from tests.support.proofs import declared, faults_of, unaccounted

# Operations that no gateway could call as they are described, by description.
JUSTIFIED: Mapping[str, Mapping[tuple[str, str], str]] = {
    "DigitalOcean-public.v2": {
        # Its one server is `https://{your-agent-url}`, each customer's own, without a default.
        ("POST", "/api/v1/chat/completions"): "none of its servers is usable"
    }
}


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
    catalog, placement = describe_api(at(request.param), snapshot.open())
    return Found(
        path=request.param,
        snapshot=snapshot,
        description=placement.description,
        catalog=catalog,
    )


def at(path: Path) -> ApiConfig:
    return ApiConfig(name="api", spec=str(path))


def test_every_operation_is_a_tool_or_has_a_named_problem(found: Found) -> None:
    assert unaccounted(found.description, found.catalog) == set()


def test_real_descriptions_lose_no_operation(found: Found) -> None:
    justified = JUSTIFIED.get(found.path.stem, {})
    errors = [p.message for p in found.catalog.problems if p.severity == "error"]
    made = {(tool.method, tool.path) for tool in found.catalog.tools.values()}

    assert made
    if found.path not in OWN:
        assert declared(found.description) - made == set(justified)
        assert len(errors) == len(justified)
        for ((method, path), reason), error in zip(justified.items(), errors, strict=True):
            assert error.startswith(f"{method} {path} skipped: {reason}")


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
    return describe_api(at(found.path), Opened(document=document))[0]
