"""A catalog as a small JSON value, to have it again without reading its description.

The description's operations are read when they are needed, one at a time.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TypedDict

from gateway.catalog.catalog import ApiCatalog, published_about
from gateway.catalog.overrides import settle_overrides
from gateway.catalog.selection import NO_OVERRIDE, ToolOverride
from gateway.catalog.tool import Tool
from gateway.openapi import Document, LateReader, Problem, Signature


class CatalogSummary(TypedDict):
    """`signatures` are name, method, path, operationId and tags; `tools` digests by name.

    `hidden` are the tools that only the configuration may use, by name.
    `problems` are pointer, severity and message, the last `unapplied` of them those of the
    configuration.
    """

    title: str
    signatures: Sequence[tuple[str, str, str, str | None, Sequence[str]]]
    tools: Mapping[str, str]
    hidden: Sequence[str]
    problems: Sequence[tuple[str, str, str]]
    unapplied: int


def summarise(catalog: ApiCatalog) -> CatalogSummary:
    """What `recall` needs beside the document."""
    return CatalogSummary(
        title=catalog.title,
        signatures=[
            (name, s.method, s.path, s.operation_id, s.tags)
            for name, s in catalog.signatures.items()
        ],
        tools={name: tool.digest for name, tool in catalog.tools.items()},
        hidden=list(catalog.hidden),
        problems=[(p.pointer, p.severity, p.message) for p in catalog.problems],
        unapplied=len(catalog.unapplied),
    )


def recall(
    summary: CatalogSummary,
    document: Document,
    *,
    api: str,
    overrides: Mapping[str, ToolOverride],
) -> ApiCatalog:
    """The catalog that was summarised, made of the same document with the same configuration.

    Raises DescriptionError, KeyError, TypeError or ValueError for a summary of another one.
    """
    reader = LateReader(document, api=api)
    signatures = {
        name: Signature(method=method, path=path, operation_id=operation_id, tags=tuple(tags))
        for name, method, path, operation_id, tags in summary["signatures"]
    }
    settled = settle_overrides(api, signatures, overrides).overrides
    problems = tuple(
        Problem(api=api, pointer=pointer, severity=severity, message=message)
        for pointer, severity, message in summary["problems"]
    )

    def make(name: str, digest: str | None) -> Tool:
        return Tool(
            api=api,
            name=name,
            signature=signatures[name],
            read=partial(reader.read, signatures[name]),
            schemas=reader.schemas,
            override=settled.get(name, NO_OVERRIDE),
            known_digest=digest,
        )

    return ApiCatalog(
        api=api,
        title=summary["title"],
        tools={name: make(name, digest) for name, digest in summary["tools"].items()},
        problems=problems,
        signatures=signatures,
        unapplied=problems[len(problems) - summary["unapplied"] :],
        about=published_about(reader.about),
        ocp=reader.ocp,
        hidden={name: make(name, None) for name in summary["hidden"]},
        document=document,
    )
