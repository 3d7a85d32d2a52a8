"""A clock that a test moves, and metrics read back."""

from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

Series = dict[str, float]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def series(source: CollectorRegistry | str, name: str) -> Series:
    """Values of one metric by their labels, as `api=shop status=200`; "" where there are none."""
    if isinstance(source, str):
        families = text_string_to_metric_families(source)
    else:
        families = iter(source.collect())
    return {
        " ".join(f"{label}={value}" for label, value in sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
        if sample.name == name
    }
