"""What every run of the tests says of itself."""

from collections.abc import Generator

import pytest
from hypothesis import settings
from hypothesis import strategies as st

from tests.support import mcp_watch
from tests.support.descriptions_found import FOUND, OWN, SPECS, SPLIT

# A machine that is busy makes no test fail: hypothesis would give each example 200 ms.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_collection_finish() -> None:
    """Make the table of Unicode now: in a fresh checkout it takes two seconds.

    Hypothesis would make it when a test first draws text, and blame that test for being slow.
    """
    st.text().validate()
    mcp_watch.install()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    """What the gateway says in MCP is judged in every test, whatever the test is about."""
    yield
    mcp_watch.raise_faults()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None]:
    yield
    mcp_watch.raise_faults()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say whether the real descriptions were there: many tests take them when they are."""
    own = (*OWN, SPLIT[0])
    found = len(FOUND) - len(own)
    what = f"{found} in {SPECS}" if found else f"none in {SPECS}, only the project's own"
    terminalreporter.write_line(f"real descriptions: {what}")
