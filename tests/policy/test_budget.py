"""Retries are a share of the traffic (R-12)."""

import pytest

from gateway.policy.budget import FLOOR, SHARE, WINDOW_SECONDS, RetryBudget


def admitted(budget: RetryBudget, now: float, asked: int) -> int:
    return sum(budget.admit(now) for _ in range(asked))


@pytest.mark.parametrize("requests", [0, 1, 100, 5_000])
def test_r12_retries_are_a_share_of_the_requests_and_a_few_more(requests: int) -> None:
    budget = RetryBudget()
    for _ in range(requests):
        budget.count(0.0)
    assert admitted(budget, 0.0, 10_000) == FLOOR + int(SHARE * requests)


def test_r12_when_everything_fails_a_fifth_more_is_sent() -> None:
    budget, retries = RetryBudget(), 0
    for number in range(10_000):
        now = number / 100
        budget.count(now)
        retries += budget.admit(now)
    seconds = 10_000 / 100
    assert retries <= SHARE * 10_000 + FLOOR * seconds / WINDOW_SECONDS + FLOOR


def test_r12_requests_pay_for_a_while_only() -> None:
    budget = RetryBudget()
    for _ in range(100):
        budget.count(0.0)
    assert admitted(budget, WINDOW_SECONDS + 0.5, 100) == FLOOR


def test_r12_what_was_spent_comes_back_after_a_while() -> None:
    budget = RetryBudget()
    assert admitted(budget, 0.0, 100) == FLOOR
    assert admitted(budget, WINDOW_SECONDS - 0.5, 100) == 0
    assert admitted(budget, WINDOW_SECONDS + 0.5, 100) == FLOOR
