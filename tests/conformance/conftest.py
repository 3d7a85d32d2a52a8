from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from tests.conformance.endpoint import Endpoint
from tests.conformance.running import MODULE, running_stand


@pytest.fixture(scope="session")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an endpoint that no test changes for another."""
    with running_stand(MODULE, tmp_path_factory.mktemp("stand")) as url:
        yield url


@pytest.fixture
async def endpoint(stand: str) -> AsyncIterator[Endpoint]:
    async with aiohttp.ClientSession() as http:
        yield Endpoint(http=http, url=stand)
