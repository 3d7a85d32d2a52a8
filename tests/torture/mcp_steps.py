"""`python -m tests.torture.mcp_steps --steps 200000`: conversations in MCP, in every era.

A step is one request of `tests/mcp/test_conversations.py`: its answer is compared with a model of
the protocol's ladders and judged by the schema of its revision. What breaks is shrunk, printed and
ends the run; `--seed` with the same number repeats it.
"""

import argparse
import multiprocessing
import sys
import time
from collections import Counter

from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.mcp_lines import Lines
from tests.support.mcp_machine import Conversations, OverHttp
from tests.support.mcp_talk import Talk

# A machine, and how many of its conversations make up a portion.
PORTIONS = (
    (Conversations, 200),
    (Lines, 100),
    (OverHttp, 20),
)
_LONG = 60  # steps of one conversation, at most


def run(first_seed: int, steps: int) -> Counter[str]:
    """Portion after portion until so many steps are done; how many each machine did."""
    done: Counter[str] = Counter()
    number = first_seed
    while done.total() < steps:
        for machine, conversations in PORTIONS:
            before = Talk.steps
            seed(number)(machine)
            run_state_machine_as_test(
                machine,
                settings=settings(
                    max_examples=conversations,
                    stateful_step_count=_LONG,
                    deadline=None,
                    database=None,
                    suppress_health_check=list(HealthCheck),
                    print_blob=False,
                ),
            )
            done[machine.__name__] += Talk.steps - before
            number += 1
    return done


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    started = time.monotonic()
    share = -(-options.steps // options.processes)
    # Far apart, so that no process says what another one has said.
    shares = [(options.seed + 1_000_000 * number, share) for number in range(options.processes)]
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        counts = pool.starmap(run, shares)
    done = sum(counts, Counter[str]())
    took = time.monotonic() - started
    print(f"{done.total()} steps in {took:.0f} s, no difference: {dict(done)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
