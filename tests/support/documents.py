"""Small OpenAPI documents, made where a test needs one."""

import random
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from gateway.catalog import ApiCatalog, Tool, read_catalog
from gateway.openapi import Description, read_description
from gateway.sources import parse

SHARED = Path(__file__).parents[3] / "shared"
# Real descriptions of version 3.x where a checkout has them beside it, and one of our own, so that
# a test of each is never a test of none.
REAL = (
    Path(__file__).parent / "descriptions" / "tracker.yaml",
    *(
        path
        for name in ("github", "stripe", "box", "twilio-api-v2010", "asana", "openai")
        for path in sorted((SHARED / "specs").glob(f"{name}.*"))
    ),
)

METHODS = ("get", "put", "post", "delete", "patch", "head", "options")


def document(
    paths: Mapping[str, object], *, version: str = "3.1.0", **members: object
) -> dict[str, object]:
    info = {"title": "Test", "version": "1"}
    return {"openapi": version, "info": info, "paths": dict(paths), **members}


def operation(
    *,
    parameters: Sequence[object] = (),
    body: object = None,
    required: bool = True,
    answer: object = None,
    **members: object,
) -> dict[str, object]:
    """An Operation Object with a JSON body and a JSON answer of the given schemas."""
    made: dict[str, object] = {"parameters": list(parameters), **members}
    if body is not None:
        made["requestBody"] = {"required": required, "content": _json(body)}
    ok: dict[str, object] = {"description": "Done"}
    made["responses"] = {"200": ok if answer is None else {**ok, "content": _json(answer)}}
    return made


def _json(schema: object) -> dict[str, object]:
    return {"application/json": {"schema": schema}}


def query(name: str, schema: object, **members: object) -> dict[str, object]:
    return {"name": name, "in": "query", "schema": schema, **members}


def described(root: object, api: str = "test") -> Description:
    return read_description(root, api=api)


def catalog(root: object, api: str = "test") -> ApiCatalog:
    return read_catalog(described(root, api))


def only_tool(root: object) -> Tool:
    (tool,) = catalog(root).tools.values()
    return tool


def problems(root: object) -> list[tuple[str, str]]:
    """Pointer and severity of every problem."""
    return [(p.pointer, p.severity) for p in described(root).problems]


def shuffled(value: object, seed: int) -> object:
    """`value` with the members of every object in another order."""
    if isinstance(value, Mapping):
        items = [(key, shuffled(member, seed + 1)) for key, member in value.items()]
        random.Random(seed).shuffle(items)  # noqa: S311 - an order, not a secret
        return dict(items)
    if isinstance(value, list):
        return [shuffled(member, seed + 1) for member in value]
    return value


@cache
def real_document(path: Path) -> object:
    return parse(path.read_bytes())


@cache
def real_catalog(path: Path) -> ApiCatalog:
    return catalog(real_document(path), path.stem)
