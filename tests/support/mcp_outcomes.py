"""What came of a message, in the model's words, and whether a batch came to what it should."""

import json
from collections.abc import Sequence

from tests.support.mcp_methods import NOTHING, RESULT, SILENT, Outcome, as_object


def came_of(status: int, body: bytes) -> Outcome:
    if not body:
        return status, NOTHING
    error = as_object(json.loads(body)).get("error")
    return status, (RESULT if error is None else int(str(as_object(error)["code"])))


def as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def expect_cancellations(
    members: Sequence[object], expected: Sequence[set[Outcome]]
) -> list[set[Outcome]]:
    """What a later member of the same batch cancels may stay without its answer."""
    named: set[object] = set()
    outcomes: list[set[Outcome]] = []
    for member, expects in zip(reversed(members), reversed(expected), strict=True):
        message = as_object(member)
        is_named = any(message.get("id") == each for each in named) and "id" in message
        outcomes.append(expects | {SILENT} if is_named else set(expects))
        if message.get("method") == "notifications/cancelled":
            request = as_object(message.get("params")).get("requestId")
            named |= {request} if isinstance(request, (str, int, float)) else set()
    return outcomes[::-1]


def compare_batch(status: int, body: bytes, expected: Sequence[set[Outcome]], about: str) -> None:
    """Answers stand in the order of what they answer; what is silent leaves no gap."""
    if not body:
        assert status == 202, about
        assert all(SILENT in outcomes for outcomes in expected), about
        return
    answers = [
        answer["error"]["code"] if "error" in answer else RESULT for answer in json.loads(body)
    ]
    statuses = _statuses(answers, expected)
    assert statuses, about
    assert status == (200 if 200 in statuses else statuses[0]), about


def _statuses(answers: Sequence[object], expected: Sequence[set[Outcome]]) -> list[int] | None:
    """The status of each answer; None where they do not fit what is expected in this order."""
    if not expected:
        return None if answers else []
    first, *others = expected
    fitting = [each for each, code in first if answers and code == answers[0]]
    if fitting and (rest := _statuses(answers[1:], others)) is not None:
        return [fitting[0], *rest]
    return _statuses(answers, others) if SILENT in first else None
