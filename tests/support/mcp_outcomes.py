"""What came of a message, in the model's words, and whether a batch came to what it should."""

import json
from collections.abc import Sequence

from tests.support.mcp_methods import NOTHING, RESULT, SILENT, Outcome, as_object


def came_of(status: int, body: bytes) -> Outcome:
    if not body:
        return status, NOTHING
    error = as_object(json.loads(body)).get("error")
    return status, (RESULT if error is None else int(str(as_object(error)["code"])))


def compare_batch(status: int, body: bytes, expected: Sequence[set[Outcome]], about: str) -> None:
    """Answers stand in the order of what they answer; what is silent leaves no gap."""
    spoken = [outcomes for outcomes in expected if outcomes != {SILENT}]
    if not spoken:
        assert (status, body) == (202, b""), about
        return
    answers = json.loads(body)
    assert len(answers) == len(spoken), about
    statuses = []
    for answer, outcomes in zip(answers, spoken, strict=True):
        what = answer["error"]["code"] if "error" in answer else RESULT
        fitting = [each for each, code in outcomes if code == what]
        assert fitting, about
        statuses += fitting[:1]
    assert status == (200 if 200 in statuses else statuses[0]), about
