"""What every run of the tests says of itself."""

import pytest

from tests.support.descriptions_found import FOUND, OWN, SPECS, SPLIT


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say whether the real descriptions were there: many tests take them when they are."""
    own = (*OWN, SPLIT[0])
    found = len(FOUND) - len(own)
    what = f"{found} in {SPECS}" if found else f"none in {SPECS}, only the project's own"
    terminalreporter.write_line(f"real descriptions: {what}")
