"""What a run of the conformance suite is worth.

Its exit code is not enough: warnings and skipped checks never count there, and against a port
that nobody listens on it still says `29 passed`. So passed checks are counted, and what does not
pass has to be expected, with a reason.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

# The suite keeps each scenario's checks in `server-NAME-TIME/checks.json`.
_DIRECTORY = re.compile(r"server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """`status` is SUCCESS, FAILURE, WARNING, SKIPPED or INFO; `message` says what is wrong."""

    id: str
    status: str
    message: str = ""


Run = Mapping[str, tuple[Check, ...]]
"""The checks of each scenario that was run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is to be seen at one revision.

    `scenarios` is how many are scored and `passed` how many checks of those pass at least.
    `warnings` has the reason of each, by `SCENARIO:CHECK`. `not_scored` has for each other scenario
    `passes`, `fails` or `untried` (nothing passed and nothing failed).
    """

    scenarios: int
    passed: int
    warnings: Mapping[str, str]
    not_scored: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A table with its last line, and all that is wrong; no faults: the run is good."""

    lines: tuple[str, ...]
    summary: str
    faults: tuple[str, ...]


def read_run(directory: Path) -> Run:
    """The results that the suite left in `directory`, in the order of the runs."""
    found = sorted(
        (path.stat().st_mtime_ns, match[1], path)
        for path in directory.glob("*/checks.json")
        if (match := _DIRECTORY.fullmatch(path.parent.name))
    )
    return {name: tuple(_read_checks(path)) for _, name, path in found}


def _read_checks(path: Path) -> Iterator[Check]:
    for check in json.loads(path.read_text()):
        yield Check(id=check["id"], status=check["status"], message=check.get("errorMessage") or "")


def read_expected(path: Path) -> Mapping[str, Expected]:
    """What `expected.yml` says of each revision."""
    return {
        revision: Expected(
            scenarios=entry["scenarios"],
            passed=entry["passed"],
            warnings=entry["warnings"],
            not_scored={name: state["state"] for name, state in entry["not_scored"].items()},
        )
        for revision, entry in yaml.safe_load(path.read_text()).items()
    }


def read_scored(path: Path) -> frozenset[str]:
    """The scenarios that the suite's own list of a revision's requirements asks of servers."""
    return frozenset(yaml.safe_load(path.read_text())["server"])


def judge(run: Run, scored: frozenset[str], expected: Expected) -> Verdict:
    """Compare what was seen with what has to be."""
    return Verdict(
        lines=tuple(_line(name, checks, name in scored) for name, checks in run.items()),
        summary=_summary(run, scored),
        faults=(
            *_count_faults(run, scored, expected),
            *_scored_faults(run, scored),
            *_warning_faults(run, expected.warnings),
            *_unscored_faults(run, scored, expected.not_scored),
        ),
    )


def _line(name: str, checks: tuple[Check, ...], is_scored: bool) -> str:
    counts = (_count(checks, status) for status in ("SUCCESS", "FAILURE", "WARNING", "SKIPPED"))
    cells = "".join(f"{count or '':>9}" for count in counts)
    return f"{name:<46}{'' if is_scored else 'not scored':<11}{_state(checks):<8}{cells}".rstrip()


def _summary(run: Run, scored: frozenset[str]) -> str:
    passing = sum(_state(run.get(name, ())) == "passes" for name in scored)
    return f"{passing} of {len(scored)} scored scenarios pass, {_passed(run, scored)} checks"


def _passed(run: Run, scored: frozenset[str]) -> int:
    return sum(_count(checks, "SUCCESS") for name, checks in run.items() if name in scored)


HEADING = f"{'scenario':<57}{'state':<8}{'passed':>9}{'failed':>9}{'warned':>9}{'skipped':>9}"


def _state(checks: tuple[Check, ...]) -> str:
    if _count(checks, "FAILURE"):
        return "fails"
    return "passes" if _count(checks, "SUCCESS") else "untried"


def _count(checks: tuple[Check, ...], status: str) -> int:
    return sum(check.status == status for check in checks)


def _count_faults(run: Run, scored: frozenset[str], expected: Expected) -> Iterator[str]:
    if len(scored) != expected.scenarios:
        yield f"{len(scored)} scenarios are scored, not {expected.scenarios}"
    if (passed := _passed(run, scored)) < expected.passed:
        yield f"{passed} checks of scored scenarios passed, fewer than {expected.passed}"


def _scored_faults(run: Run, scored: frozenset[str]) -> Iterator[str]:
    for name in sorted(scored):
        checks = run.get(name, ())
        if _state(checks) == "untried":
            yield f"{name}: nothing passed"
        for check in checks:
            if check.status == "FAILURE":
                yield f"{name}:{check.id}: {check.message}"


def _warning_faults(run: Run, expected: Mapping[str, str]) -> Iterator[str]:
    warnings = {
        f"{name}:{check.id}": check.message
        for name, checks in run.items()
        for check in checks
        if check.status == "WARNING"
    }
    for key in sorted(warnings.keys() - expected.keys()):
        yield f"{key}: an unexpected warning: {warnings[key]}"
    for key in sorted(expected.keys() - warnings.keys()):
        yield f"{key}: the expected warning was not given"


def _unscored_faults(
    run: Run, scored: frozenset[str], expected: Mapping[str, str]
) -> Iterator[str]:
    states = {name: _state(checks) for name, checks in run.items() if name not in scored}
    for name in sorted(states.keys() | expected.keys()):
        seen, wanted = states.get(name, "not run"), expected.get(name, "not run")
        if seen != wanted:
            yield f"{name} (not scored): {seen}, but expected: {wanted}"
