"""A run is good only when everything was seen, and everything seen was expected."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conformance.judge import (
    Check,
    Expected,
    Run,
    judge,
    read_expected,
    read_run,
    read_scored,
)
from tests.support.pages import DOCS, checked_rows

HERE = Path(__file__).parent
SCORED = frozenset({"ping", "caching"})
PASSED = Check(id="one", status="SUCCESS")
FAILED = Check(id="two", status="FAILURE", message="it broke")
WARNED = Check(id="two", status="WARNING", message="it creaks")
SKIPPED = Check(id="two", status="SKIPPED")
GOOD: Run = {"ping": (PASSED, PASSED), "caching": (PASSED, WARNED), "tasks": (FAILED,)}
EXPECTED = Expected(
    scenarios=2, passed=3, warnings={"caching:two": "old"}, not_scored={"tasks": "fails"}
)


def faults_of(run: Run, expected: Expected = EXPECTED) -> tuple[str, ...]:
    return judge(run, SCORED, expected).faults


def test_a_run_that_is_as_expected_has_no_faults() -> None:
    assert faults_of(GOOD) == ()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        pytest.param({"ping": (PASSED, FAILED)}, "ping:two: it broke", id="a failure"),
        pytest.param(
            {"ping": (PASSED, SKIPPED)},
            "2 checks of scored scenarios passed, fewer than 3",
            id="a check that was skipped",
        ),
        pytest.param(
            {"ping": (PASSED, PASSED, WARNED)},
            "ping:two: an unexpected warning: it creaks",
            id="a new warning",
        ),
        pytest.param(
            {"caching": (PASSED, PASSED)},
            "caching:two: the expected warning was not given",
            id="a warning that is no more",
        ),
        pytest.param({"caching": (WARNED,)}, "caching: nothing passed", id="warnings only"),
        pytest.param(
            {"tasks": (PASSED,)},
            "tasks (not scored): passes, but expected: fails",
            id="a scenario that passes by now",
        ),
        pytest.param(
            {"tasks": (SKIPPED,)},
            "tasks (not scored): untried, but expected: fails",
            id="a scenario that tries nothing",
        ),
        pytest.param(
            {"polling": (PASSED,)},
            "polling (not scored): passes, but expected: not run",
            id="a scenario that nobody knows",
        ),
    ],
)
def test_what_is_not_expected_is_a_fault(
    change: Mapping[str, tuple[Check, ...]], fault: str
) -> None:
    assert fault in faults_of({**GOOD, **change})


@pytest.mark.parametrize(
    ("missing", "fault"),
    [
        ("ping", "ping: nothing passed"),
        ("tasks", "tasks (not scored): not run, but expected: fails"),
    ],
)
def test_a_scenario_that_was_not_run_is_a_fault(missing: str, fault: str) -> None:
    run = {name: checks for name, checks in GOOD.items() if name != missing}

    assert fault in faults_of(run)


def test_a_run_that_saw_nothing_is_a_fault() -> None:
    assert faults_of({}) != ()


def test_another_list_of_requirements_is_a_fault() -> None:
    assert faults_of(GOOD, replace(EXPECTED, scenarios=3)) == ("2 scenarios are scored, not 3",)


def test_each_scenario_has_a_line_with_its_counts() -> None:
    lines = [line.split() for line in judge(GOOD, SCORED, EXPECTED).lines]

    assert lines == [
        ["ping", "passes", "2"],
        ["caching", "passes", "1", "1"],
        ["tasks", "not", "scored", "fails", "1"],
    ]


def test_the_summary_counts_what_is_scored() -> None:
    run = {**GOOD, "ping": (PASSED, FAILED)}

    assert judge(run, SCORED, EXPECTED).summary == "1 of 2 scored scenarios pass, 2 checks"


def test_results_are_read_as_the_suite_leaves_them(tmp_path: Path) -> None:
    for name, check in {
        "server-dns-rebinding-2026-11-21T21-10-16-571Z": {"id": "a", "status": "SUCCESS"},
        "server-ping-2026-11-21T21-10-16-578Z": {"id": "b", "status": "INFO", "errorMessage": "x"},
    }.items():
        directory = tmp_path / name
        directory.mkdir()
        (directory / "checks.json").write_text(json.dumps([check]))

    assert read_run(tmp_path) == {
        "dns-rebinding": (Check(id="a", status="SUCCESS"),),
        "ping": (Check(id="b", status="INFO", message="x"),),
    }


def test_requirements_are_the_servers(tmp_path: Path) -> None:
    path = tmp_path / "2026-07-28.yaml"
    path.write_text("server: [ping, caching]\nclient: [initialize]\n")

    assert read_scored(path) == SCORED


def test_what_is_expected_covers_both_eras() -> None:
    expected = read_expected(HERE / "expected.yml")

    assert {revision: entry.scenarios for revision, entry in expected.items()} == {
        "2025-11-25": 30,
        "2026-07-28": 37,
    }
    states = {state for entry in expected.values() for state in entry.not_scored.values()}
    assert states <= {"passes", "fails", "untried"}


def test_the_documentation_says_what_is_expected() -> None:
    expected = read_expected(HERE / "expected.yml")
    suite = json.loads((HERE / "package.json").read_text())["dependencies"]

    assert checked_rows("mcp.md", "conformance") == [
        (revision, str(entry.scenarios), str(entry.passed)) for revision, entry in expected.items()
    ]
    assert not any(entry.warnings for entry in expected.values())
    (named,) = re.findall(
        r"`(@modelcontextprotocol/conformance)` (\S+)\)", (DOCS / "mcp.md").read_text()
    )
    assert dict([named]) == suite
