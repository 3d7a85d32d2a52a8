"""A moment of what `python -m tests.torture.stuck` does."""

from pathlib import Path
from random import Random

import pytest

from tests.torture import stuck


async def test_r11_one_api_answers_while_another_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stuck, "STUCK", 40)
    monkeypatch.setattr(stuck, "SETTLING_SECONDS", 0.2)
    times = await stuck.run(20, tmp_path, Random(1))  # noqa: S311 - to be repeated
    assert not times.wrong
    assert times.statuses["good 200"] == 40
    assert times.statuses["stuck upstream_busy"]
