"""`python -m tests.torture.fuzz_codec --inputs 10000000`: OCP headers, broken without end.

Each input goes through `read_inbound`. A session that is accepted is encoded again, and what comes
of it must be at most 8,192 characters and the same context or a trimmed one; every so often a
judge that shares no code with the gateway looks at both. A finding is any exception, anything
accepted or made that should not be, anything lost or cut without need, or an input over 5 ms of
CPU (the best of three more runs). It is printed with its number, and `--only NUMBER` with the same
seed repeats it. That hardly a session is encoded is a finding, too: nothing would have been judged.
"""

import argparse
import base64
import gzip
import json
import multiprocessing
import resource
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from random import Random

from gateway.context import (
    AgentContext,
    InboundContext,
    Reject,
    decode_session,
    encode_session,
    read_inbound,
    to_mapping,
)
from gateway.messages import header
from tests.support import ocp
from tests.torture.codec_inputs import Headers, some_headers

MAX_NANOSECONDS = 5_000_000
JUDGED = 200  # one in so many accepted sessions
MIN_ENCODED = 0.03  # of the inputs; about 0.06 have a session that is accepted
# Gzip makes nothing more than some bytes longer, so this many fit however little they compress.
SURELY_FITTING = 6_000
# What cannot be cut. Beside so little of it, what is left of texts fits, if nothing compresses.
FEW_DIGITS = 200
MAX_JSON = 65_536
FULL = 0.95 * ocp.SESSION_LIMIT
_TEXTS = ("user", "workspace", "current_file", "current_goal", "context_summary", "error_context")


@dataclass(slots=True, kw_only=True)
class Tally:
    """What has happened. `slowest` is in nanoseconds of CPU, `peak` in KB of memory."""

    outcomes: Counter[str] = field(default_factory=Counter)
    findings: dict[str, int] = field(default_factory=dict)
    slowest: int = 0
    slowest_number: int = 0
    peak: int = 0

    @property
    def encoded(self) -> float:
        """The share of inputs whose session was encoded again."""
        made = self.outcomes["whole"] + self.outcomes["trimmed"]
        return made / max(1, self.outcomes.total())

    def add(self, other: "Tally") -> None:
        self.outcomes += other.outcomes
        for place, count in other.findings.items():
            self.findings[place] = self.findings.get(place, 0) + count
        if other.slowest > self.slowest:
            self.slowest, self.slowest_number = other.slowest, other.slowest_number
        self.peak = max(self.peak, other.peak)


def survive(headers: Headers) -> tuple[InboundContext, str | None]:
    """What the gateway does with headers: reading them, and sending on what they say."""
    inbound = read_inbound(headers)
    session = inbound.session
    return inbound, None if session is None else encode_session(session)


def check(inbound: InboundContext, encoded: str | None) -> str:
    """What came of an input, in a word; asserts that it may have come of it."""
    for claim in (inbound.context_id, inbound.agent_type, inbound.goal, inbound.user):
        assert claim is None or (claim.isascii() and claim.isprintable() and len(claim) <= 256)
    session = inbound.session
    if session is None:
        reasons = [reason for reason in inbound.rejects if reason.startswith("session")]
        return reasons[0] if reasons else "no session"
    assert session.context_id == inbound.context_id
    if encoded is None:
        assert digits_of(session) > FEW_DIGITS, "lost without need"
        return "unsendable"
    assert len(encoded) <= ocp.SESSION_LIMIT
    again = decode_session(encoded, session.context_id)
    assert not isinstance(again, Reject), again
    if again == session:
        return "whole"
    assert size_of(session) > SURELY_FITTING, "cut without need"
    assert is_trimmed(again, session)
    if replace(again, history=session.history) == session:
        kept = len(again.history)
        more = replace(session, history=session.history[-kept - 1 :])
        # Base64 is longer by a third.
        one = 2 * (size_of(more) - size_of(again))
        assert size_of(more) > MAX_JSON or len(encoded) + one > FULL, "more is cut than needed"
    return "trimmed"


def size_of(context: AgentContext) -> int:
    """Bytes of it as JSON."""
    text = json.dumps(to_mapping(context), ensure_ascii=False, separators=(",", ":"))
    return len(text.encode())


def digits_of(session: AgentContext) -> int:
    """How long the times are."""
    start = session.session.start_time if session.session else ""
    return len(session.created_at) + len(session.last_updated) + len(start)


def is_trimmed(less: AgentContext, whole: AgentContext) -> bool:
    """Whether `less` is `whole` without older history, foreign members and ends of texts."""
    start = len(whole.history) - len(less.history)
    texts = [(getattr(less, name) or "", getattr(whole, name) or "") for name in _TEXTS]
    texts += [(less.agent_type, whole.agent_type)]
    texts += zip(less.recent_changes, whole.recent_changes, strict=True)
    kept = (less.session is None) == (whole.session is None)
    if less.session and whole.session:
        texts += [(less.session.agent_type, whole.session.agent_type)]
        kept = less.session.extra in ({}, whole.session.extra)
        kept = kept and less.session.start_time == whole.session.start_time
        kept = kept and less.session.interaction_count == whole.session.interaction_count
    alike = replace(less, history=(), taken={}) == replace(whole, history=(), taken={})
    return (
        kept
        and start >= 0
        # History goes first: as long as some is left, the rest is whole.
        and (alike or not less.history)
        and whole.history[start:] == less.history
        and all(long.startswith(short) for short, long in texts)
        and less.api_specs in ({}, whole.api_specs)
        and (less.created_at, less.last_updated) == (whole.created_at, whole.last_updated)
    )


def judge(headers: Headers, encoded: str | None) -> None:
    """Asserts with Python's own parsers and another validator that both sessions are valid."""
    value = header(headers, "OCP-Session") or ""
    data = base64.b64decode(value.removeprefix("gzip:"), validate=True)
    text = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    assert len(text) <= MAX_JSON
    ocp.validate(json.loads(text))
    if encoded is not None:
        ocp.decode_session(encoded)


def run(seed: int, numbers: Iterable[int], *, timed: bool = True) -> Tally:
    """Execute `numbers`. `timed`: one that takes too long is a finding."""
    tally, clock, accepted = Tally(), time.thread_time_ns, 0
    for number in numbers:
        headers = some_headers(Random((seed << 40) | number))  # noqa: S311 - to be repeated
        try:
            started = clock()
            inbound, encoded = survive(headers)
            took = clock() - started
            outcome = check(inbound, encoded)
            if inbound.session is not None:
                accepted += 1
                if accepted % JUDGED == 1:
                    judge(headers, encoded)
        except Exception as error:  # noqa: BLE001 - the very thing that is looked for
            tally.outcomes["FAILED"] += 1
            _note(tally, number, _place(error), traceback.format_exc())
            continue
        if timed and took > MAX_NANOSECONDS:
            took = min(_again(headers) for _ in range(3))
            if took > MAX_NANOSECONDS:
                _note(tally, number, "slow", f"{took / 1e6:.1f} ms of CPU\n{headers!r:.2000}")
        if took > tally.slowest:
            tally.slowest, tally.slowest_number = took, number
        tally.outcomes[outcome] += 1
    tally.peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return tally


def _again(headers: Headers) -> int:
    started = time.thread_time_ns()
    survive(headers)
    return time.thread_time_ns() - started


def _place(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {frame.filename}:{frame.lineno}"


def _note(tally: Tally, number: int, place: str, text: str) -> None:
    if place not in tally.findings:
        print(f"== number {number}: {place}\n{text[-3000:]}", flush=True)
    tally.findings[place] = tally.findings.get(place, 0) + 1


def _share(seed: int, numbers: range) -> Tally:
    return run(seed, numbers)


def run_all(seed: int, inputs: int, processes: int) -> Tally:
    """The numbers below `inputs`, dealt out to `processes`."""
    shares = [(seed, range(first, inputs, processes)) for first in range(processes)]
    total = Tally()
    if processes == 1:
        total.add(run(*shares[0]))
        return total
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for tally in pool.starmap(_share, shares):
            total.add(tally)
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--only", type=int, metavar="NUMBER")
    options = parser.parse_args()
    started = time.monotonic()
    if options.only is None:
        tally = run_all(options.seed, options.inputs, options.processes)
    else:
        tally = run(options.seed, (options.only,))
    took = time.monotonic() - started
    count = tally.outcomes.total()
    if count >= JUDGED and tally.encoded < MIN_ENCODED:
        _note(tally, 0, "few sessions", f"{tally.encoded:.3f} of the inputs were encoded again")
    print(f"{count:,} executions in {took:.0f} s ({count / took:,.0f}/s), seed {options.seed}")
    for outcome, times in tally.outcomes.most_common():
        print(f"  {outcome}: {times:,}")
    print(f"slowest {tally.slowest / 1e6:.2f} ms of CPU (number {tally.slowest_number})")
    print(f"peak {tally.peak // 1024} MB a process; {len(tally.findings)} findings")
    return 1 if tally.findings else 0


if __name__ == "__main__":
    sys.exit(main())
