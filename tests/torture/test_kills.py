"""A few kills of each kind; `make torture` does many."""

from pathlib import Path
from random import Random
from types import ModuleType

import pytest

from tests.support.checker import Heard
from tests.support.redis_server import start_redis
from tests.torture import kill_gateway, kill_redis, kill_sqlite, kill_writers

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


@pytest.mark.parametrize("kind", ["redis", "sqlite"])
async def test_what_is_acknowledged_has_been_stored_before(tmp_path: Path, kind: str) -> None:
    random = Random(SEED)  # noqa: S311 - to be repeated
    if kind == "sqlite":
        verdict = await kill_writers.run(f"sqlite:///{tmp_path}/contexts.db", 3, random)
    else:
        with start_redis(tmp_path / "redis") as server:
            verdict = await kill_writers.run(server.url, 3, random)

    assert verdict.faults == ()
    assert verdict.heard[Heard.NOTHING] > 0
