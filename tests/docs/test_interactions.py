"""The page about interactions: its tables are what the code has, and its example runs."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.calls.continuation import ASKING, TELLING
from gateway.calls.envelope_shapes import LINES
from gateway.config import ApiConfig
from gateway.engine import Progress
from tests.support.asking import Heard, accept, call_of, dialogue
from tests.support.pages import DOCS, checked_rows, fenced
from tests.support.serving import serving

PAGE = DOCS / "interactions.md"


def test_the_abilities_are_those_that_are_offered() -> None:
    assert [row[0] for row in checked_rows("interactions.md", "abilities")] == [*TELLING, *ASKING]


def test_the_lines_are_those_that_are_read() -> None:
    assert [row[0] for row in checked_rows("interactions.md", "lines")] == [*LINES, "result"]


@pytest.fixture
def refunds(tmp_path: Path) -> Iterator[str]:
    """The example, at a port of its own: its URL."""
    (code,) = fenced(PAGE, "python")
    program = tmp_path / "refunds.py"
    program.write_text(code.replace("9100", "0"))
    with subprocess.Popen(
        [sys.executable, str(program)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


@pytest.mark.parametrize(
    ("answer", "text", "is_error"),
    [
        (accept(text="Broken"), '{"refunded":"A-7","why":"Broken"}', False),
        ({"action": "decline"}, "Not refunded: nobody said why.", True),
    ],
    ids=["accepted", "declined"],
)
async def test_the_example(
    refunds: str, tmp_path: Path, answer: object, text: str, is_error: bool
) -> None:
    (description,) = fenced(PAGE, "json")
    spec = tmp_path / "refunds.json"
    spec.write_text(json.dumps(json.loads(description)))
    api = ApiConfig(name="refunds", spec=str(spec), base_url=refunds, interaction=True)
    heard = Heard()
    async with serving(api) as running:
        talk = await dialogue(running.gateway, call_of("refund", {"order": "A-7"}, listener=heard))
        assert talk.required is not None
        assert set(talk.required.requests) == {"reason"}
        await talk.answer(reason=answer)

    assert heard.progresses == [Progress(progress=1, total=2, message="found A-7")] * 2
    assert talk.text == text
    assert talk.outcome is not None
    assert talk.outcome.result.is_error is is_error
