"""The golden catalogs of the edge cases: `python -m tests.support.edge.catalogs` writes them anew.

Each file has what one description publishes in every format, in the order in which it is sent, with
the SHA-256 of the very bytes. Every difference is for a person to read.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from gateway.catalog import Catalog
from gateway.mcp import Server, ToolPages, encode_json
from gateway.mcp.revisions import LEGACY, V2026_07_28
from gateway.server.tools import FORMATS
from gateway.sources import parse
from tests.support.documents import catalog

ROOM = Path(__file__).parents[2] / "golden"
VERSIONS = ("2.0", "3.0", "3.1", "3.2")
REVISIONS = (*LEGACY, V2026_07_28)


def api_name(version: str) -> str:
    return f"edge{version.replace('.', '')}"


def source(version: str) -> Path:
    return ROOM / f"edge-{version}.yaml"


def golden(version: str) -> Path:
    return ROOM / f"edge-{version}.golden.json"


def published(version: str, root: object) -> dict[str, bytes]:
    """Everything that the description `root` leads to, by format."""
    api = catalog(root, api_name(version))
    view = Catalog([api]).view()
    pages = ToolPages(Server(version="0"))
    lists = {
        form: encode_json([describe(name, tool) for name, tool in view.tools.items()])
        for form, describe in FORMATS.items()
    }
    lists |= {f"mcp {revision.name}": pages.page(revision, view) for revision in REVISIONS}
    problems = sorted(f"{p.severity} {p.pointer} {p.message}" for p in api.problems)
    return {"problems": encode_json(problems), **lists}


def golden_text(formats: Mapping[str, bytes]) -> str:
    """`formats` as people read them: one that says what an earlier one says is named, not shown."""
    shown: dict[str, object] = {}
    for form, text in formats.items():
        value = json.loads(text)
        tools = value["tools"] if isinstance(value, dict) else value
        same = next((name for name, known in shown.items() if known == tools), None)
        shown[form] = f"as {same}" if same else tools
    digests = {form: sha256(text).hexdigest() for form, text in formats.items()}
    # What is not ASCII is escaped, so that nothing hides from a reader.
    return json.dumps({**shown, "sha256": digests}, indent=1) + "\n"


def write() -> None:
    for version in VERSIONS:
        formats = published(version, parse(source(version).read_bytes()))
        golden(version).write_text(golden_text(formats))


if __name__ == "__main__":
    write()
