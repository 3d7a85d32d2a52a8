"""The way to one API: who is on it, whether it is open, what it has come to."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from gateway.client.places import Place
from gateway.errors import CircuitOpen, UpstreamBusy, UpstreamError
from gateway.policy.budget import RetryBudget
from gateway.policy.circuit import FAILURES, Circuit, CircuitState, Leave
from gateway.policy.lanes import WAITING_SECONDS, Lane
from gateway.upstreams import Upstream

_LOG = logging.getLogger(__name__)

# RFC 9110 sections 15.6.3 to 15.6.5: said by what stands in front of an API that is not there.
# 500 is not among them: it is what one operation's bug looks like.
_ABSENT = frozenset({502, 503, 504})

FORGOTTEN_SECONDS = 3_600.0
SENDING_SECONDS = 3.0
"""A trial whose body is still coming from its caller keeps the circuit for so long, which is more
than connecting takes."""
# Whoever is to fail by running out of time shall be the trial until it has.
_SLACK_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How one API is at this moment. The counters count from the start on.

    `websockets` have places of their own and are not `running`. `refused`: requests for which there
    was no place; `rejected`: while the circuit was open.
    """

    api: str
    origin: str
    running: int
    waiting: int
    websockets: int
    circuit: CircuitState
    retries: int
    refused: int
    rejected: int


class Way:
    """One API at one origin: its places, its circuit, its budget. Times are the event loop's."""

    def __init__(self, upstream: Upstream, *, fraction: Callable[[], float]) -> None:
        """`fraction` is random, of 0 to 1."""
        self._name = upstream.name
        self._origin = upstream.origin
        self._fraction = fraction
        self._lane = Lane[asyncio.Future[None]]()
        # One that says nothing for an hour shall not stand in the way of those that take a moment.
        self._websockets = Lane[asyncio.Future[None]]()
        self._circuit = Circuit()
        self._budget = RetryBudget()
        self._retries = self._refused = self._rejected = 0
        self._used = asyncio.get_running_loop().time()
        self._is_closed = False

    @property
    def is_forgotten(self) -> bool:
        """Nobody has been here for so long that it might as well begin anew."""
        idle = asyncio.get_running_loop().time() - self._used > FORGOTTEN_SECONDS
        lanes = (self._lane, self._websockets)
        return idle and not any(lane.running or lane.waiting for lane in lanes)

    @property
    def condition(self) -> Condition:
        return Condition(
            api=self._name,
            origin=self._origin,
            running=self._lane.running,
            waiting=self._lane.waiting + self._websockets.waiting,
            websockets=self._websockets.running,
            circuit=self._circuit.state,
            retries=self._retries,
            refused=self._refused,
            rejected=self._rejected,
        )

    async def enter(self, upstream: Upstream, deadline: float | None, *, websocket: bool) -> Place:
        """Wait for a place. Raises UpstreamBusy, CircuitOpen."""
        loop = asyncio.get_running_loop()
        self._used = loop.time()
        # Nobody queues for what would be refused.
        self._check_circuit(loop.time())
        lane = self._websockets if websocket else self._lane
        place = Place(lane, limit=upstream.max_concurrency)
        until = loop.time() + WAITING_SECONDS
        if await place.is_taken(until if deadline is None else min(until, deadline)):
            return place
        self._refused += 1
        raise UpstreamBusy(f"{self._name} has as many requests to work on as it may")

    def ask(self, upstream: Upstream, *, streamed: bool) -> Leave:
        """Leave to ask, which ends with `done`. Raises CircuitOpen.

        A request whose body is `streamed` tells nothing about the API before `sent`.
        """
        now = asyncio.get_running_loop().time()
        lease = SENDING_SECONDS if streamed else upstream.timeout_seconds + _SLACK_SECONDS
        leave = self._circuit.admit(now, lease=lease)
        if leave is None:
            self._check_circuit(now)
            raise AssertionError("a circuit is open for some time")
        self._budget.count(now)
        return leave

    def sent(self, leave: Leave, upstream: Upstream) -> None:
        """All of the request has gone: from now on it is the API that is waited for."""
        now = asyncio.get_running_loop().time()
        self._circuit.extend(leave, now, lease=upstream.timeout_seconds + _SLACK_SECONDS)

    def answered(self, leave: Leave, status: int) -> None:
        if status in _ABSENT:
            self._fail(leave, f"HTTP {status}")
        elif self._circuit.succeed(leave):
            _LOG.warning("%s answers again", self._name)

    def failed(self, leave: Leave, error: UpstreamError) -> None:
        # That there is no room here says nothing about the API.
        if not isinstance(error, UpstreamBusy):
            self._fail(leave, str(error))

    def done(self, leave: Leave) -> None:
        self._circuit.end(leave)

    def close(self) -> None:
        """The gateway ends: there is nothing left to repeat anything with."""
        self._is_closed = True

    def may_retry(self) -> bool:
        """Whether there is still something in the budget; then it is taken."""
        if self._is_closed:
            return False
        admitted = self._budget.admit(asyncio.get_running_loop().time())
        self._retries += admitted
        return admitted

    def _check_circuit(self, now: float) -> None:
        seconds = self._circuit.wait(now)
        if seconds > 0:
            self._rejected += 1
            raise CircuitOpen(
                f"{self._name} has failed {FAILURES} times in a row and is left alone for a moment",
                retry_after=ceil(seconds),
            )

    def _fail(self, leave: Leave, reason: str) -> None:
        now = asyncio.get_running_loop().time()
        if self._circuit.fail(leave, now, fraction=self._fraction()) and not leave.trial:
            _LOG.warning("%s is left alone for a moment: %s", self._name, reason)
