"""The golden catalog of the edge cases: `python -m tests.support.golden` writes it anew."""

import json
from pathlib import Path

from gateway.dialects import ocp_tool
from gateway.sources import parse
from tests.support.documents import catalog

ROOM = Path(__file__).parents[1] / "catalog"
EDGE = ROOM / "edge.yaml"
GOLDEN = ROOM / "edge.golden.json"


def catalog_text(root: object) -> str:
    """Everything that a description leads to: definitions, the OCP form, problems."""
    made = catalog(root, "edge")
    whole = {
        "problems": sorted(f"{p.severity} {p.pointer} {p.message}" for p in made.problems),
        "tools": {
            name: {"digest": tool.digest, "definition": tool.definition, "ocp": ocp_tool(tool)}
            for name, tool in made.tools.items()
        },
    }
    return json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    GOLDEN.write_text(catalog_text(parse(EDGE.read_bytes())))
