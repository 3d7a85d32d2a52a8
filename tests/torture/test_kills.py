"""A few kills of each kind; `make torture` does many."""

from pathlib import Path
from random import Random
from types import ModuleType

import pytest

from tests.torture import kill_gateway, kill_redis, kill_sqlite

SEED = 4


@pytest.mark.parametrize(
    ("loop", "kills"),
    [(kill_redis, 4), (kill_gateway, 2), (kill_sqlite, 2)],
    ids=["redis", "gateway_on_redis", "gateway_on_sqlite"],
)
async def test_kills_lose_and_double_nothing_acknowledged(
    tmp_path: Path, loop: ModuleType, kills: int
) -> None:
    siege = await loop.run(kills, tmp_path, Random(SEED))  # noqa: S311 - to be repeated

    assert siege.faults == (), str(siege)
    assert siege.kills == kills
