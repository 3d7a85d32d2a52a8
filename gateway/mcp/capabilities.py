"""What a client can be asked for, and what it can be told while it waits."""

from collections.abc import Iterable, Mapping

from gateway.mcp.decisions import Work

CAPABILITIES = ("elicitation.form", "elicitation.url", "sampling", "sampling.tools", "roots")
"""What a client may be asked for. Session ids carry the positions: only ever append."""


def read_capabilities(declared: object) -> frozenset[str]:
    """The members of CAPABILITIES that a client declares; other shapes declare nothing."""
    if not isinstance(declared, dict):
        return frozenset()
    found = {name for name in ("sampling", "roots") if isinstance(declared.get(name), dict)}
    elicitation = declared.get("elicitation")
    if isinstance(elicitation, dict):
        # An empty object means form, as it did before url mode existed (2025-11-25).
        found |= {f"elicitation.{mode}" for mode in ("form", "url") if mode in elicitation}
        found |= set() if elicitation else {"elicitation.form"}
    sampling = declared.get("sampling")
    if isinstance(sampling, Mapping) and "tools" in sampling:
        found.add("sampling.tools")
    return frozenset(found)


def abilities_of(work: Work, *, can_send: bool) -> frozenset[str]:
    """What the client can be told and asked while its request is under way.

    `can_send`: whether anything can be said before the answer.
    """
    able = set(work.capabilities)
    if not work.revision.elicitation:
        able -= {"elicitation.form", "elicitation.url"}
    if not work.revision.newer_forms:
        able -= {"elicitation.url", "sampling.tools"}
    if not work.revision.modern and (work.session is None or not can_send):
        able.clear()  # the modern era asks in its results
    if can_send and work.progress_token is not None:
        able.add("progress")
    if can_send and (work.log_level is not None or not work.revision.modern):
        able.add("log")
    return frozenset(able)


def required_capabilities(missing: Iterable[str]) -> dict[str, object]:
    """Names of CAPABILITIES as the object that a client would have to declare."""
    required: dict[str, dict[str, object]] = {}
    for name in sorted(missing):
        capability, _, part = name.partition(".")
        declared = required.setdefault(capability, {})
        if part:
            declared[part] = {}
    return dict(required)
