from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from gateway.telemetry.current import CALL, REQUEST
from tests.support.telemetry import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture(autouse=True)
def nothing_going_on() -> Iterator[None]:
    yield
    REQUEST.set(None)
    CALL.set(None)
