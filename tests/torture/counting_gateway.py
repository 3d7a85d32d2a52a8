"""`python -m tests.torture.counting_gateway REPORT serve ...`: the gateway, which tells its tasks.

On SIGUSR1 it writes to the file REPORT what tasks it has, one line for each.
"""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

from gateway.__main__ import main

_PATIENCE_SECONDS = 20.0


def tasks_of(pid: int, report: Path) -> list[str]:
    """Ask that process for its tasks: the name of the coroutine, a blank, where it stands."""
    report.unlink(missing_ok=True)
    os.kill(pid, signal.SIGUSR1)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not report.exists():
        if time.monotonic() > deadline:
            raise TimeoutError("the gateway does not tell its tasks")
        time.sleep(0.01)
    return report.read_text().splitlines()


def _report(path: Path) -> None:
    tasks = asyncio.all_tasks(asyncio.get_running_loop())
    lines = sorted(
        f"{getattr(task.get_coro(), '__qualname__', '?')} {_place(task)}" for task in tasks
    )
    aside = path.with_suffix(".new")
    aside.write_text("\n".join(lines))
    aside.replace(path)


def _place(task: "asyncio.Task[object]") -> str:
    """The innermost line of the gateway's own."""
    awaited: object = task.get_coro()
    place = "?"
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "ag_frame", None)
        if frame is not None:
            place = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "ag_await", None)
    return place


if __name__ == "__main__":
    report_to = Path(sys.argv.pop(1))
    signal.signal(signal.SIGUSR1, lambda *_: _report(report_to))
    main()
