"""Callers that ask and ask, on connections kept and new, and judge every answer."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import count
from random import Random

from tests.torture.asks import Ask, Make
from tests.torture.lines import Answer, Cut, Line, Refused
from tests.torture.waiting import until

MOST_ON_ONE = 50
"""Requests on one connection, at most; then the caller makes a new one."""
_PATIENCE_SECONDS = 30.0
_REFUSED_PAUSE = 0.02
_SHOWN = 20


class Crowd:
    """The callers. `url` is asked anew for each connection.

    `raced`: requests on a kept connection that its server had closed meanwhile, sent again as any
    client does (RFC 9112 section 9.3.1); only those that may not be repeated are faults.
    `excused` says of an answer that it is no fault, although it is not what was asked for.
    """

    def __init__(
        self,
        url: Callable[[], str],
        makes: Sequence[Make],
        random: Random,
        *,
        excused: Callable[[Answer], bool] = lambda _: False,
    ) -> None:
        self.faults: list[str] = []
        self.counts: Counter[str] = Counter()
        self.seconds: list[float] = []
        self.excuses = 0
        self.raced = 0
        self.refused = 0
        self._url = url
        self._makes = makes
        self._random = random
        self._excused = excused
        self._tags = count()
        self._over = asyncio.Event()

    @property
    def answered(self) -> int:
        return self.counts.total()

    @asynccontextmanager
    async def at_work(self, callers: int, *, rate: float | None = None) -> AsyncIterator[None]:
        """`rate`: requests in a second, of all of them; None is as many as they can."""
        self._over.clear()
        pause = 0.0 if rate is None else callers / rate
        async with asyncio.TaskGroup() as group:
            for number in range(callers):
                group.create_task(self._call(number, pause))
            try:
                yield
            finally:
                self._over.set()

    async def progress(self, answers: int) -> None:
        """Wait until so many more requests are answered."""
        wanted = self.answered + answers
        if not await until(lambda: self.answered >= wanted, seconds=2 * _PATIENCE_SECONDS):
            raise TimeoutError(f"no {answers} more answers: {self.faults[:_SHOWN]}")

    async def _call(self, number: int, pause: float) -> None:
        line: Line | None = None
        await self._rest(pause * self._random.random())
        while not self._over.is_set():
            ask = self._random.choice(self._makes)(f"c{number}-{next(self._tags)}")
            started = time.monotonic()
            line = await self._ask(ask, line)
            if line is not None and line.asked >= self._random.randint(1, MOST_ON_ONE):
                line.close()
            await self._rest(pause * (0.5 + self._random.random()) - (time.monotonic() - started))
        if line is not None:
            line.close()

    async def _rest(self, seconds: float) -> None:
        if seconds > 0:
            try:
                async with asyncio.timeout(seconds):
                    await self._over.wait()
            except TimeoutError:
                pass

    async def _ask(self, ask: Ask, line: Line | None) -> Line | None:
        """The connection that can be used again, if there is one."""
        while not self._over.is_set():
            try:
                line = line if line is not None and line.is_open else await Line.open(self._url())
                started = time.monotonic()
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    answer = await line.ask(ask.request)
            except Refused:
                self.refused += 1
                await self._rest(_REFUSED_PAUSE)
            except Cut as cut:
                if not self._may_repeat(ask, line, cut):
                    self.faults.append(f"{ask.kind}: {cut}")
                    return None
                line = None
            except (TimeoutError, ValueError) as error:
                self.faults.append(f"{ask.kind}: {error!r}")
                return None
            else:
                self._judge(ask, answer, time.monotonic() - started)
                return None if answer.closes else line
        return line

    def _may_repeat(self, ask: Ask, line: Line | None, cut: Cut) -> bool:
        raced = line is not None and line.asked > 1 and not cut.begun
        self.raced += raced
        return raced and ask.repeats

    def _judge(self, ask: Ask, answer: Answer, seconds: float) -> None:
        fault = ask.fault(answer)
        if fault is not None and self._excused(answer):
            self.excuses += 1
            return
        self.counts[ask.kind] += 1
        if ask.timed:
            self.seconds.append(seconds)
        if fault is not None:
            self.faults.append(f"{ask.kind}: {fault}")

    def lines(self) -> list[str]:
        """The figures, one line each, then some of the faults."""
        kinds = ", ".join(f"{kind} {number:,}" for kind, number in sorted(self.counts.items()))
        return [
            f"{self.answered:,} requests answered: {kinds}",
            f"p50 {percentile(self.seconds, 50):.1f} ms, p99 {percentile(self.seconds, 99):.1f} ms",
            (
                f"{self.raced:,} met a connection that was closed meanwhile, "
                f"{self.refused:,} connections refused, {self.excuses:,} answers excused"
            ),
            f"{len(self.faults):,} faults",
            *self.faults[:_SHOWN],
        ]


def percentile(seconds: Sequence[float], percent: float) -> float:
    """In milliseconds; 0 of nothing."""
    ordered = sorted(seconds)
    place = min(len(ordered) - 1, int(len(ordered) * percent / 100))
    return ordered[place] * 1000 if ordered else 0.0
