"""A process of its own that appends to one context: STORE_URL CONTEXT_ID NAME COUNT.

Prints `NAME-NUMBER` for each entry once it is acknowledged, so that whoever kills the process
knows what has to be there.
"""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from gateway.policy import ANONYMOUS
from gateway.stores import StoreLimits, open_store
from tests.support.contexts import append

ROOT = Path(__file__).parents[2]


def start_writer(url: str, context_id: str, name: str, count: int) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", __name__, url, context_id, name, str(count)]
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)


async def write(url: str, context_id: str, name: str, count: int) -> None:
    store = open_store(url, StoreLimits())
    for number in range(count):
        # The process number keeps operation ids of several writers apart.
        change = append(
            f"{name}-{number}",
            context_id=context_id,
            operation_id=f"{os.getpid()}-{name}-{number}",
        )
        assert await store.update(ANONYMOUS, context_id, change) is not None
        print(f"{name}-{number}", flush=True)  # noqa: T201 - the acknowledgement
    await store.aclose()


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
