"""What the page tells the person on call to look for is what there is to be seen."""

import re

import pytest

from tests.support.pages import DOCS, ROOT, checked_rows, names_in

PAGE = (DOCS / "operations.md").read_text()
TABLE = PAGE.partition("## Something is wrong\n")[2].partition("\n## ")[0]
ROWS = [line for line in TABLE.splitlines() if line.startswith("| ")][2:]
SOURCE = "\n".join(path.read_text() for path in sorted((ROOT / "gateway").rglob("*.py")))
# Texts that the code writes over several lines of its own.
SPOKEN = re.sub(r'"\s*\n\s*f?"', "", SOURCE)
OTHERS = ("curl", "ocp-gateway", "kubectl", "GET", "Authorization", "proxy: ")
SAID = [
    phrase
    for row in ROWS
    for phrase in re.findall(r"`([^`]+)`", row)
    if " " in phrase and not phrase.startswith(OTHERS)
]


def test_there_are_rows() -> None:
    assert len(ROWS) >= 25
    assert len(SAID) >= 10


@pytest.mark.parametrize("phrase", SAID)
def test_words_to_look_for_are_words_that_are_said(phrase: str) -> None:
    assert phrase in SPOKEN


def test_the_codes_are_those_of_the_errors() -> None:
    known = {(row[0], row[1]) for row in checked_rows("errors.md", "errors")}
    named = set(re.findall(r"\b([45]\d\d) `([a-z_]+)`", TABLE)) - {
        # What /readyz says, which is no error of a call.
        ("503", "unready"),
        ("503", "draining"),
    }

    assert named
    assert named <= known


def test_the_metrics_are_those_that_there_are() -> None:
    known = {row[0] for row in checked_rows("observability.md", "metrics")}
    named = {name for name in names_in(TABLE) if re.match(r"(ocp_gateway|process)_", name)}

    assert named
    assert named <= known
