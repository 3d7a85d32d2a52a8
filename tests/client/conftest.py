from collections.abc import AsyncIterator

import pytest

from gateway.client import Resilience
from tests.support.clients import make_client


@pytest.fixture
async def client() -> AsyncIterator[Resilience]:
    made = make_client()
    yield made
    await made.aclose()
