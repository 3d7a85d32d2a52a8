"""Proxied requests and answers compared with the description of their operation."""

from gateway.traffic.book import Book, RequestRules
from gateway.traffic.judging import (
    SOUND,
    Verdict,
    judge_answer_head,
    judge_body,
    judge_media,
    judge_request_head,
    may_be_read,
    reads,
)
from gateway.traffic.rules import NO_BODIES, BodyRule, BodyRules, MessageRules

__all__ = [
    "NO_BODIES",
    "SOUND",
    "BodyRule",
    "BodyRules",
    "Book",
    "MessageRules",
    "RequestRules",
    "Verdict",
    "judge_answer_head",
    "judge_body",
    "judge_media",
    "judge_request_head",
    "may_be_read",
    "reads",
]
