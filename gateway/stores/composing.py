"""Several changes of one context as one step from record to record, each with its own outcome."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from gateway.errors import PayloadTooLarge
from gateway.interfaces import Change, Stored
from gateway.stores.history import HistoryText, write_history
from gateway.stores.record import (
    REMEMBERED_OPERATIONS,
    Record,
    encode_record,
    is_applied,
    next_record,
)

Outcome = Stored | Exception | None
"""What an update returns, or what it raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A change that somebody waits for; `expected` as in ContextStore.update."""

    change: Change
    expected: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """What becomes of `before`, and the outcome of each of the steps that are in it, in order.

    `outcomes` hold once `after` is stored in place of `before`, or, where they are the same,
    once `before` is known to be what is stored. `data` is `after` encoded, None for a deletion.
    """

    before: Record | None
    after: Record | None
    data: bytes | None
    history: HistoryText | None
    outcomes: tuple[Outcome, ...]

    @property
    def writes(self) -> bool:
        return self.after is not self.before


def _unknown(_operation_id: str) -> bool:
    return False


def compose(
    before: Record | None,
    steps: Sequence[Step],
    text: HistoryText | None,
    *,
    known: Callable[[str], bool] = _unknown,
) -> Composed:
    """As many of `steps` as one write can carry, at least one. `text` is that of `before`.

    `known`: whether the change of this operation id has been stored, although `before` may not
    name it any more.

    A record remembers so many operations, so no more go into one: after a lost answer each can
    be told to be stored. A deletion leaves no trace and is therefore alone.
    """
    after, outcomes = _walk(before, steps, REMEMBERED_OPERATIONS, known)
    try:
        return _written(before, after, outcomes, text)
    except PayloadTooLarge as error:
        # Whose fault it is shows one step at a time.
        after, outcomes = _walk(before, steps, 1, known)
        try:
            return _written(before, after, outcomes, text)
        except PayloadTooLarge:
            refused = (*outcomes[:-1], error)
            return _written(before, before, refused, text)


def _walk(
    before: Record | None, steps: Iterable[Step], most: int, known: Callable[[str], bool]
) -> tuple[Record | None, tuple[Outcome, ...]]:
    record, outcomes, written = before, list[Outcome](), 0
    for step in steps:
        if written == most:
            break
        if record is not None and is_applied(record, step.change):
            outcomes.append(record.stored)
            continue
        if known(step.change.operation_id):
            # Without a record: it has been deleted since, and the deletion wins.
            outcomes.append(record.stored if record else None)
            continue
        try:
            after = next_record(record, step.change, step.expected)
        except Exception as error:  # noqa: BLE001 - one caller's fault must not fail the others
            outcomes.append(error)
            continue
        if after is None and record is not None:
            if not written:
                return None, (*outcomes, None)
            break
        outcomes.append(after.stored if after else None)
        written += after is not None
        record = after
    return record, tuple(outcomes)


def _written(
    before: Record | None,
    after: Record | None,
    outcomes: tuple[Outcome, ...],
    text: HistoryText | None,
) -> Composed:
    data = history = None
    if after is not None and after is not before:
        history = write_history(after.context.history, text)
        data = encode_record(after, history)
    return Composed(before=before, after=after, data=data, history=history, outcomes=outcomes)
