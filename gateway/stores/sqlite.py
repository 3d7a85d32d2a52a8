"""`sqlite:///PATH`: contexts in one file that several processes may share.

An update is acknowledged after COMMIT in WAL mode with synchronous=FULL, so neither a killed
process nor a crashed host loses one (sqlite.org/pragma.html#pragma_synchronous).
"""

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar, cast

from gateway.errors import GatewayError, StoreUnavailable, UnreadableRecord
from gateway.interfaces import Change, Page, Stored
from gateway.policy import Principal
from gateway.stores.composing import Composed, Outcome, Step, compose
from gateway.stores.copies import Copies, Key
from gateway.stores.paging import PAGE_BYTES, SLICE
from gateway.stores.record import (
    MAX_RECORD_BYTES,
    Record,
    StoreLimits,
    decode_cursor,
    encode_cursor,
    is_of_later_version,
)
from gateway.stores.remembered import Remembered
from gateway.stores.sqlite_file import DatabaseFile, primary_code
from gateway.stores.sqlite_listing import Slice, read_slice
from gateway.stores.unreadable import LATER_VERSION, set_aside, treated_as_absent
from gateway.stores.worker import Job, Worker

BUSY_SECONDS = 2.0
"""How long a call waits for the file, in the queue and for a lock together."""
QUARANTINE_SECONDS = 604_800
MAX_QUARANTINED = 16
"""Unreadable values that are kept."""
_PURGED_AT_ONCE = 32
_UPSERT = (
    "INSERT INTO contexts (principal, context_id, record, named, written, expires)"
    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (principal, context_id) DO UPDATE SET"
    " record = excluded.record, named = excluded.named,"
    " written = excluded.written, expires = excluded.expires"
)
# Made when there is something to keep: an older version of this program knows no such table.
_QUARANTINE = (
    "CREATE TABLE IF NOT EXISTS quarantine"
    " (principal TEXT NOT NULL, context_id TEXT NOT NULL, record BLOB, at REAL NOT NULL)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Update:
    key: Key
    step: Step


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writing:
    """What is written besides contexts, in the batch's transaction."""

    work: Callable[[sqlite3.Connection], object]


_Task = Callable[[], object] | _Update | _Writing
_Groups = dict[Key, list[tuple[Step, Job[_Task]]]]
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What a batch makes of one context. `outcomes`: one for each of its jobs, in order."""

    key: Key
    existed: bool
    last: Composed | None
    outcomes: tuple[Outcome, ...]


class SqliteStore:
    """A ContextStore in a SQLite file.

    One thread owns the connection. Updates that wait at the same time share one transaction, those
    of one context one write, so that a commit's fsync is paid once. All changes are applied before
    anything is written: a fault stays with its own caller.
    """

    def __init__(
        self,
        path: Path,
        limits: StoreLimits,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is opened before the first call.

        `clock` counts seconds since the epoch, `monotonic` from anywhere: the age of a copy must
        not depend on a clock that is set back.
        """
        self._limits = limits
        self._clock = clock
        self._monotonic = monotonic
        self._file = DatabaseFile(path)
        self._copies = Copies(monotonic)
        self._absent, self._aside = treated_as_absent(), set_aside()
        self._stored = Remembered()
        self._worker: Worker[_Task] = Worker(
            self._run_batch, self._file.close, name="context-store", patience=BUSY_SECONDS
        )

    async def get(
        self, principal: Principal, context_id: str, *, newest: bool = False
    ) -> Stored | None:
        key = (principal.name, context_id)
        record = None if newest else self._copies.fresh(key)
        if record is None:
            try:
                record = cast("Record | None", await self._worker.run(partial(self._read, key)))
            except UnreadableRecord:
                self._absent.add()
        return record.stored if record else None

    async def update(
        self,
        principal: Principal,
        context_id: str,
        change: Change,
        *,
        expected: int | None = None,
    ) -> Stored | None:
        step = Step(change=change, expected=expected)
        task = _Update(key=(principal.name, context_id), step=step)
        return cast("Stored | None", await self._worker.run(task))

    async def list(self, principal: Principal, cursor: str | None, limit: int) -> Page:
        after, items, shown, room = decode_cursor(cursor), list[Stored](), 0, PAGE_BYTES
        more = True
        while more and shown < limit and room > 0:
            most = min(SLICE, limit - shown)
            work = partial(self._slice, principal.name, after, most, room)
            part = cast("Slice", await self._worker.run(work))
            items += part.items
            after, more = part.last, part.more
            shown, room = shown + part.shown, room - part.size
        return Page(items=tuple(items), next_cursor=encode_cursor(after) if more else None)

    async def ping(self) -> None:
        def work() -> None:
            self._file.connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()

        await self._worker.run(work)

    async def look_beside(self, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """What `work` reads of what else lies in the file; it runs in the store's thread.

        Nobody may open the file a second time: see `files.beginning`.
        """
        return cast("Answer", await self._worker.run(lambda: work(self._file.connection)))

    async def write_beside(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """The same for what `work` writes. It shares a transaction, and may be run again."""
        await self._worker.run(_Writing(work=work))

    async def aclose(self) -> None:
        await self._worker.aclose()

    # Everything below runs in the worker's thread.

    def _run_batch(self, jobs: Sequence[Job[_Task]]) -> None:
        # A second round serves the batch from the empty file that takes a corrupt one's place.
        for last_round in (False, True):
            waiting = [job for job in jobs if not job.done]
            try:
                self._file.ready()
                self._look(waiting)
                self._commit(waiting)
            except (sqlite3.Error, OSError, GatewayError) as error:
                if primary_code(error) == sqlite3.SQLITE_BUSY:
                    # Another process has the lock. Its end is waited for in the queue, not in
                    # SQLite: there, reads would wait, too, although nothing keeps them.
                    self._file.break_off()
                    _leave_undone(jobs, Job.postpone, error)
                    return
                corrupt = self._file.give_up(error)
                if last_round or not corrupt:
                    _leave_undone(jobs, Job.fail, error)
                    return
            else:
                return

    def _look(self, jobs: Iterable[Job[_Task]]) -> None:
        for job in jobs:
            if isinstance(job.task, _Update | _Writing):
                continue
            try:
                job.settle(job.task())
            except (sqlite3.Error, OSError):
                raise
            except Exception as error:  # noqa: BLE001 - one caller's fault must not fail the others
                job.fail(error)

    def _commit(self, jobs: Iterable[Job[_Task]]) -> None:
        groups, beside = _sort_writes(jobs)
        if not groups and not beside:
            return
        self._file.connection.execute("BEGIN IMMEDIATE")
        now, sent = self._clock(), self._monotonic()
        plans = [self._plan(key, [s for s, _ in group]) for key, group in groups.items()]
        # New ones last: what makes room for them is what this batch has not touched.
        for plan in sorted(plans, key=lambda plan: not plan.existed):
            self._write(plan, now)
        for writing, _ in beside:
            writing.work(self._file.connection)
        self._file.connection.execute("COMMIT")
        # Only now: nobody may hear of what a failing commit takes back.
        for plan in plans:
            self._publish(plan, sent)
            self._stored.add(_stored_of((s for s, _ in groups[plan.key]), plan.outcomes))
            for (_, job), outcome in zip(groups[plan.key], plan.outcomes, strict=True):
                job.conclude(outcome)
        _settle(beside)

    def _plan(self, key: Key, steps: Sequence[Step]) -> _Plan:
        try:
            before = self._read_or_set_aside(key)
        except (sqlite3.Error, OSError):
            raise
        except Exception as error:  # noqa: BLE001 - one context's fault must not fail the others
            return _Plan(key=key, existed=True, last=None, outcomes=(error,) * len(steps))
        record, text = before, self._copies.latest(key)[1]
        last, outcomes, done = None, list[Outcome](), set[str]()

        def known(operation_id: str) -> bool:
            return operation_id in done or operation_id in self._stored

        while len(outcomes) < len(steps):
            rest = steps[len(outcomes) :]
            composed = compose(record, rest, text, known=known)
            outcomes += composed.outcomes
            done |= _stored_of(rest, composed.outcomes)
            if composed.writes:
                record, text, last = composed.after, composed.history, composed
        return _Plan(key=key, existed=before is not None, last=last, outcomes=tuple(outcomes))

    def _publish(self, plan: _Plan, sent: float) -> None:
        last = plan.last
        if last is None:
            return
        if last.after is None or last.data is None:
            self._copies.forget(plan.key)
        else:
            self._copies.has_written(plan.key, last.after, last.history, len(last.data), sent)

    def _slice(self, principal: str, after: str, most: int, room: int) -> Slice:
        connection, now = self._file.connection, self._clock()
        return read_slice(connection, principal, after, now=now, most=most, room=room)

    def _read(self, key: Key) -> Record | None:
        asked = self._monotonic()
        row = self._file.connection.execute(
            "SELECT CASE WHEN length(record) <= ? THEN record END FROM contexts"
            " WHERE principal = ? AND context_id = ? AND expires > ?",
            (MAX_RECORD_BYTES, *key, self._clock()),
        ).fetchone()
        data = b"" if row is None else row[0]
        if not isinstance(data, bytes):
            raise UnreadableRecord("a stored context cannot be read by this version")
        try:
            return self._copies.has_read(key, data, asked)
        except UnreadableRecord:
            if is_of_later_version(data):
                raise UnreadableRecord(LATER_VERSION) from None
            raise

    def _read_or_set_aside(self, key: Key) -> Record | None:
        try:
            return self._read(key)
        except UnreadableRecord as error:
            if str(error) == LATER_VERSION:
                raise
            self._set_aside(key)
            return None

    def _write(self, plan: _Plan, now: float) -> None:
        if plan.last is None:
            return
        execute = self._file.connection.execute
        after, data = plan.last.after, plan.last.data
        if after is None:
            execute("DELETE FROM contexts WHERE principal = ? AND context_id = ?", plan.key)
            return
        if not plan.existed:
            self._make_room(*plan.key, now)
        expires = now + after.seconds_to_live(self._limits)
        execute(_UPSERT, (*plan.key, data, after.named, now, expires))

    def _set_aside(self, key: Key) -> None:
        execute = self._file.connection.execute
        execute(_QUARANTINE)
        now = self._clock()
        execute(
            "INSERT INTO quarantine SELECT principal, context_id, substr(record, 1, ?), ?"
            " FROM contexts WHERE principal = ? AND context_id = ?",
            (MAX_RECORD_BYTES, now, *key),
        )
        execute("DELETE FROM contexts WHERE principal = ? AND context_id = ?", key)
        execute(
            "DELETE FROM quarantine WHERE at <= ? OR rowid NOT IN"
            " (SELECT rowid FROM quarantine ORDER BY rowid DESC LIMIT ?)",
            (now - QUARANTINE_SECONDS, MAX_QUARANTINED),
        )
        self._aside.add()

    def _make_room(self, principal: str, context_id: str, now: float) -> None:
        execute = self._file.connection.execute
        # A few of anybody's with each new one: what nobody asks for again goes, too.
        execute(
            "DELETE FROM contexts WHERE rowid IN"
            " (SELECT rowid FROM contexts WHERE expires <= ? ORDER BY expires LIMIT ?)",
            (now, _PURGED_AT_ONCE),
        )
        limit = self._limits.max_contexts_per_principal
        if self._count(principal, limit) < limit:
            return
        execute("DELETE FROM contexts WHERE principal = ? AND expires <= ?", (principal, now))
        surplus = self._count(principal, None) - limit + 1
        oldest = execute(
            "SELECT context_id FROM contexts WHERE principal = ? AND context_id <> ?"
            " ORDER BY named, written LIMIT ?",
            (principal, context_id, max(0, surplus)),
        ).fetchall()
        for (evicted,) in oldest:
            execute(
                "DELETE FROM contexts WHERE principal = ? AND context_id = ?", (principal, evicted)
            )
            self._copies.forget((principal, evicted))

    def _count(self, principal: str, at_most: int | None) -> int:
        row = self._file.connection.execute(
            "SELECT count(*) FROM (SELECT 1 FROM contexts WHERE principal = ? LIMIT ?)",
            (principal, -1 if at_most is None else at_most),
        ).fetchone()
        return int(row[0])


def _sort_writes(jobs: Iterable[Job[_Task]]) -> tuple[_Groups, list[tuple[_Writing, Job[_Task]]]]:
    """The changes by context, and what is written beside them."""
    groups: _Groups = {}
    beside: list[tuple[_Writing, Job[_Task]]] = []
    for job in jobs:
        if isinstance(job.task, _Update):
            groups.setdefault(job.task.key, []).append((job.task.step, job))
        elif isinstance(job.task, _Writing):
            beside.append((job.task, job))
    return groups, beside


def _settle(beside: Iterable[tuple[_Writing, Job[_Task]]]) -> None:
    for _, job in beside:
        job.settle(None)


def _stored_of(steps: Iterable[Step], outcomes: Iterable[Outcome]) -> set[str]:
    """The operation ids of the changes that are, or are about to be, stored."""
    return {
        step.change.operation_id
        for step, outcome in zip(steps, outcomes, strict=False)
        if isinstance(outcome, Stored)
    }


def _leave_undone(
    jobs: Iterable[Job[_Task]], leave: Callable[[Job[_Task], Exception], None], error: Exception
) -> None:
    # The system's own text of an OSError names the path.
    reason = error.strerror if isinstance(error, OSError) else error
    unavailable = StoreUnavailable(f"the context store failed: {reason}")
    unavailable.__cause__ = error
    for job in jobs:
        if not job.done:
            leave(job, unavailable)
