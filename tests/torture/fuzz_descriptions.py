"""`python -m tests.torture.fuzz_descriptions --seconds 600`: broken descriptions without end.

Each execution breaks a valid description, or its text, and takes it from the loader to requests
(`tests.support.survival`). A finding is any exception that is no GatewayError, a published schema
that does not hold, or an input of at most 100 KB that takes more than two seconds. It is printed
with its number, and `--only NUMBER` with the same seed and corpus repeats it.
"""

import argparse
import faulthandler
import resource
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import yaml

from gateway.errors import GatewayError
from gateway.sources import parse
from gateway.sources.positions import locate
from tests.support.descriptions_found import OWN
from tests.support.mutations import mutated, sliced
from tests.support.survival import json_text, survive

MAX_BYTES = 100_000
MAX_SECONDS = 2.0
HANG_SECONDS = 60
MEMORY_BYTES = 4 * 1024**3

Corpus = Sequence[dict[str, object]]


@dataclass(slots=True, kw_only=True)
class Tally:
    """What has happened so far. `slowest` in seconds of CPU, `findings` by place in the code."""

    outcomes: Counter[str] = field(default_factory=Counter)
    findings: dict[str, int] = field(default_factory=dict)
    slowest: float = 0.0


def read_corpus(directories: Iterable[Path]) -> Corpus:
    """The project's own descriptions and what lies below `directories`."""
    paths = [*OWN]
    for directory in directories:
        paths += sorted(p for p in directory.rglob("*") if p.suffix in {".json", ".yaml", ".yml"})
    found: list[dict[str, object]] = []
    for path in paths:
        try:
            root = parse(path.read_bytes())
        except GatewayError:
            continue
        if isinstance(root, dict) and isinstance(root.get("paths"), dict):
            found.append(root)
    return found


def run_once(corpus: Corpus, random: Random) -> str:
    """One execution; raises what must not happen."""
    root = random.choice(corpus)
    small = sliced(root, random, paths=random.randint(1, 6))
    changed = mutated(small, random)
    for _ in range(8):
        text = json_text(changed)
        if len(text) <= MAX_BYTES:
            break
        small = sliced(small, random, paths=1)
        changed = mutated(small, random, most=2)
    else:
        return "too large"
    if random.random() < 0.2:
        text = _broken_text(text, changed, random)
        locate(text, ("", "/paths", "/info/title/0", "/paths/0"))
        try:
            changed = parse(text)
        except GatewayError:
            return "refused by the parser"
    return survive(changed, random)


def _broken_text(text: bytes, value: object, random: Random) -> bytes:
    """The text as JSON or YAML, with bytes changed, moved or lost."""
    if random.random() < 0.5 and len(text) < 20_000:
        with suppress(RecursionError):  # of the writer
            text = yaml.dump(value, Dumper=yaml.CSafeDumper, sort_keys=False).encode()
    out = bytearray(text)
    for _ in range(random.randint(0, 6)):
        start = random.randrange(len(out) + 1)
        end = min(len(out), start + random.choice((0, 1, 1, 2, 8, 64)))
        tokens = (
            b"",
            b"{",
            b"}",
            b"[",
            b'"',
            b",",
            b":",
            b"\\u0000",
            b"<<: ",
            b"&a ",
            b"*a",
            b"- ",
        )
        more = (b"\n", b"\xff", b"\xef\xbb\xbf", b"!!int ", b"1e400", b"$ref", out[end : end + 40])
        out[start:end] = random.choice((*tokens, *more))
    return bytes(out)


def run(corpus: Corpus, seed: int, numbers: Iterable[int], seconds: float) -> Tally:
    """Execute `numbers` until the time is over."""
    tally, until = Tally(), time.monotonic() + seconds
    for number in numbers:
        if time.monotonic() > until:
            break
        random = Random(f"{seed} {number}")  # noqa: S311 - to be repeated, not to be secret
        faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
        started = time.process_time()
        try:
            tally.outcomes[run_once(corpus, random)] += 1
        except Exception as error:  # noqa: BLE001 - the very thing that is looked for
            tally.outcomes["FAILED"] += 1
            _note(tally, number, _place(error), traceback.format_exc())
        took = time.process_time() - started
        tally.slowest = max(tally.slowest, took)
        if took > MAX_SECONDS:
            _note(tally, number, "slow", f"{took:.1f} s of CPU")
    faulthandler.cancel_dump_traceback_later()
    return tally


def _place(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {frame.filename}:{frame.lineno}"


def _note(tally: Tally, number: int, place: str, text: str) -> None:
    if place not in tally.findings:
        print(f"== number {number}: {place}\n{text[-3000:]}", flush=True)
    tally.findings[place] = tally.findings.get(place, 0) + 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--corpus", type=Path, action="append", default=[], metavar="DIR")
    parser.add_argument("--only", type=int, metavar="NUMBER")
    options = parser.parse_args()
    corpus = read_corpus(options.corpus)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    numbers = range(sys.maxsize) if options.only is None else (options.only,)
    started = time.monotonic()
    tally = run(corpus, options.seed, numbers, options.seconds)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{len(corpus):,} descriptions, seed {options.seed}, {time.monotonic() - started:.0f} s")
    print(f"{tally.outcomes.total():,} executions: {dict(tally.outcomes)}")
    print(f"slowest {tally.slowest:.2f} s of CPU, peak {peak} MB")
    print(f"{len(tally.findings)} findings")
    return 1 if tally.findings else 0


if __name__ == "__main__":
    sys.exit(main())
