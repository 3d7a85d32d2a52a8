"""Descriptions to test with: the project's own, and real ones that lie beside the checkout."""

from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_OWN = _ROOT / "tests" / "support" / "descriptions"
OWN = tuple(
    path
    for folder in (_ROOT / "specs", _OWN, _ROOT / "tests" / "catalog", _ROOT / "tests" / "golden")
    for path in sorted(folder.glob("*.yaml"))
)
SPECS = _ROOT.parent / "shared" / "specs"
# Several documents each.
SPLIT = (_OWN / "shelf" / "shelf.yaml", *sorted(SPECS.glob("*/specification/*.v2.yaml")))
FOUND = (*OWN, *sorted(p for p in SPECS.glob("*.*") if p.suffix in {".json", ".yaml"}), *SPLIT)
