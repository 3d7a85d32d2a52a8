"""Texts that look as if written to direct a model: named for a reviewer, never changed."""

import re
from collections.abc import Mapping

# What a reviewer wants to see before an agent does; a report, so a wrong alarm costs nothing.
_BAIT: Mapping[str, re.Pattern[str]] = {
    "markup for a model": re.compile(
        r"</?\s*(?:important|system|instructions?|assistant|user|tools?|tool_call|function_calls?"
        r"|secret|admin|hidden|prompt)\s*>"
        r"|<\|[a-z_]{1,32}\|>|\[/?INST\]|<<SYS>>",
        re.IGNORECASE,
    ),
    "asks to set instructions aside": re.compile(
        r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}"
        r"\b(?:previous|prior|above|earlier|all|any|your|system|other)\b.{0,40}"
        r"\b(?:instructions?|prompts?|rules?|guidelines?|messages?|context)\b",
        re.IGNORECASE,
    ),
    "speaks to the model": re.compile(
        r"\byou are (?:now|no longer)\b|\bas an ai\b|\bnew instructions?:|\bsystem prompt\b",
        re.IGNORECASE,
    ),
    "asks for secrecy": re.compile(
        r"\b(?:do not|don't|never|without)\b.{0,20}\b(?:tell|telling|mention|mentioning|inform"
        r"|informing|reveal|revealing|notify|notifying|show|showing)\b.{0,20}\b(?:the )?users?\b",
        re.IGNORECASE,
    ),
    "asks for a step before or beside the call": re.compile(
        r"\b(?:before|after|instead of|when) (?:using|calling|invoking) (?:this|any|the|other)\b"
        r".{0,20}\btools?\b",
        re.IGNORECASE,
    ),
    "names secrets on the reader's machine": re.compile(
        r"~/\.(?:ssh|aws|cursor|config)\b|\bid_rsa\b|/etc/passwd\b|\bmcp\.json\b", re.IGNORECASE
    ),
    "hidden characters": re.compile("[\u202a-\u202e\u2066-\u2069\U000e0000-\U000e0fff]"),
}
# Patterns look at most this far into a text: their cost is linear, but times seven.
_LOOKED_AT = 20_000


def suspicious(text: str) -> tuple[str, ...]:
    """What in `text` looks like an attempt to direct the model, one phrase for each kind."""
    looked_at = text[:_LOOKED_AT]
    return tuple(name for name, pattern in _BAIT.items() if pattern.search(looked_at))
