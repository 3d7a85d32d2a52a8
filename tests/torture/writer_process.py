"""A process that writes to contexts of one store: STORE_URL NAME CONTEXT_ID...

Four writers for each context. Each says `ask`, `ack` or `deny` with context and mark, at the very
moment, so that whoever kills the process knows what has to be there.
"""

import asyncio
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path

from gateway.errors import StoreUnavailable
from gateway.interfaces import ContextStore
from gateway.policy import ANONYMOUS
from tests.support.contexts import a_context, append, opened

WRITERS = 4
_ROOT = Path(__file__).parents[2]


async def start_writers(
    url: str, name: str, contexts: tuple[str, ...]
) -> asyncio.subprocess.Process:
    words = (sys.executable, "-m", __name__, url, name, *contexts)
    return await asyncio.create_subprocess_exec(
        *words, cwd=_ROOT, stdout=asyncio.subprocess.PIPE, stdin=asyncio.subprocess.DEVNULL
    )


def _say(*words: str) -> None:
    # One system call: a kill does not tear what it carries (pipe(7), PIPE_BUF).
    sys.stdout.write(f"{' '.join(words)}\n")
    sys.stdout.flush()


async def _write(store: ContextStore, name: str, context_id: str, numbers: "count[int]") -> None:
    fresh = replace(a_context(context_id), current_goal=context_id)
    for number in numbers:
        mark = f"{name}-{number}"
        change = append(mark, context_id=context_id, operation_id=mark)
        _say("ask", context_id, mark)
        try:
            await store.update(ANONYMOUS, context_id, replace(change, fresh=fresh))
        except StoreUnavailable:
            _say("deny", context_id, mark)
        else:
            _say("ack", context_id, mark)


async def main(url: str, name: str, contexts: list[str]) -> None:
    numbers = count()
    async with opened(url) as store, asyncio.TaskGroup() as group:
        for context_id in contexts * WRITERS:
            group.create_task(_write(store, name, context_id, numbers))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
