"""docs/observability.md and the alert rules name the metrics and the fields that there are."""

import logging
import re
from typing import cast

import pytest
import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from gateway.config import Config
from gateway.stores import MemoryBoard
from gateway.telemetry.current import REQUEST, CallState
from gateway.telemetry.visits import ACCESS_LOG, EVENT, Visits
from gateway.wiring.http import make_runner
from gateway.wiring.observing import observing, open_observatory
from tests.support.engine import UPSTREAM, FakeClient, StoreWithSwitch, gateway_with
from tests.support.pages import ROOT, checked_rows, names_in
from tests.support.serving import MEMORY

Metric = tuple[str, str, tuple[str, ...]]

ALERTS = ROOT / "config" / "prometheus" / "alerts.yaml"
SUFFIX = re.compile(r"_(bucket|sum|count)$")


def documented() -> set[Metric]:
    rows = checked_rows("observability.md", "metrics")
    return {(name, kind, tuple(names_in(labels))) for name, kind, labels, _ in rows}


def metric_of(made: MetricWrapperBase) -> Metric:
    name = f"{made._name}_total" if made._type == "counter" else made._name
    return name, str(made._type), tuple(made._labelnames)


async def test_the_table_of_metrics_is_what_a_server_has() -> None:
    gateway = gateway_with(FakeClient(), StoreWithSwitch(), {"shop": UPSTREAM})
    observatory = open_observatory()
    runner = make_runner(Config(store=MEMORY), gateway, MemoryBoard(), observatory=observatory)
    async with observing(observatory, gateway, runner):
        collectors = tuple(observatory.registry._collector_to_names)
    assert {metric_of(cast("MetricWrapperBase", made)) for made in collectors} == documented()


def rules() -> list[dict[str, object]]:
    (group,) = yaml.safe_load(ALERTS.read_text())["groups"]
    return cast("list[dict[str, object]]", group["rules"])


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_asks_for_metrics_and_labels_that_there_are(rule: dict[str, object]) -> None:
    known = {name: {*labels, "le"} for name, _, labels in documented()}
    expression = str(rule["expr"])
    names = re.findall(r"\b(?:ocp_|process_)\w+", expression)
    assert names
    assert {SUFFIX.sub("", name) for name in names} <= set(known)
    labels = set().union(*(known[SUFFIX.sub("", name)] for name in names))
    used = re.findall(r"[{,]\s*(\w+)(?==|!|=~)", expression)
    grouped = [
        label.strip() for by in re.findall(r"by \(([^)]*)\)", expression) for label in by.split(",")
    ]
    shown = re.findall(r"\$labels\.(\w+)", str(rule["annotations"]))
    assert {*used, *grouped, *shown} <= labels
    assert {"severity"} == set(cast("dict[str, str]", rule["labels"]))
    assert {"summary", "what_to_do"} == set(cast("dict[str, str]", rule["annotations"]))


def test_queries_on_the_page_ask_for_metrics_that_there_are() -> None:
    page = (ROOT / "docs" / "observability.md").read_text().partition("## Alerts")[2]
    names = set(re.findall(r"\bocp_gateway_\w+", page))
    assert {SUFFIX.sub("", name) for name in names} <= {name for name, _, _ in documented()}


def test_the_table_of_fields_is_what_a_line_has() -> None:
    lines: list[dict[str, object]] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.__dict__[EVENT])  # type: ignore[method-assign]
    ACCESS_LOG.addHandler(handler)
    level = ACCESS_LOG.level
    ACCESS_LOG.setLevel(logging.INFO)
    try:
        visits = Visits(CollectorRegistry(), monotonic=lambda: 0.0, new_id=lambda: "id")
        visit = visits.begin("GET", {"X-Request-ID": "theirs"}, "192.0.2.7", trusted=False)
        request = REQUEST.get()
        assert request is not None
        request.calls.extend((CallState(), CallState()))
        visit.ended("/", status=200, received=0, sent=0, aborted=False)
    finally:
        ACCESS_LOG.removeHandler(handler)
        ACCESS_LOG.setLevel(level)
        REQUEST.set(None)
    rows = checked_rows("observability.md", "access")
    named = {name for row in rows for name in names_in(row[0])} | {"caller_request_id", "calls"}
    assert set(lines[0]) == named
