"""Some deletions among many appends; `make torture` has many more."""

from pathlib import Path
from random import Random

import pytest

from tests.support.redis_server import start_redis
from tests.torture.deletions import run


@pytest.mark.parametrize("kind", ["redis", "sqlite"])
async def test_a_deletion_wins_for_good(kind: str, tmp_path: Path) -> None:
    random = Random(4)  # noqa: S311 - to be repeated
    if kind == "sqlite":
        outcome = await run(f"sqlite:///{tmp_path}/contexts.db", 50, random)
    else:
        with start_redis(tmp_path / "redis") as server:
            outcome = await run(server.url, 50, random)

    assert outcome.faults == (), str(outcome)
    assert outcome.figures["dropped"] > 0
