"""What the schemas of configuration keys are made of."""

from collections.abc import Mapping

Schema = Mapping[str, object]

# A day in seconds: longer than any exchange, and short enough for every timer.
DAY = 86_400


def later(feature: str, *, default: object) -> Schema:
    """A key whose feature is not in this version: its default may be written, nothing else."""
    return {"enum": [default], "default": default, "x-later": feature}
