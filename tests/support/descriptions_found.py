"""Real descriptions that lie beside the checkout, if any: tests run over what is found."""

from pathlib import Path

SPECS = Path(__file__).resolve().parents[3] / "shared" / "specs"
SPLIT = sorted(SPECS.glob("*/specification/*.v2.yaml"))
