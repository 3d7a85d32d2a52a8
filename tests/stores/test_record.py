from dataclasses import replace

import pytest

from gateway.errors import PayloadTooLarge
from gateway.interfaces import Stored
from gateway.stores.record import (
    MAX_RECORD_BYTES,
    Record,
    decode_record,
    encode_record,
    next_record,
    record_token,
)
from tests.support.contexts import a_context, append

RECORD = Record(version=7, operations=('new"est', "older"), named=True, context=a_context())


def test_a_record_comes_back_as_it_was() -> None:
    assert decode_record(encode_record(RECORD)) == RECORD
    assert RECORD.stored == Stored(context=RECORD.context, version=7)


def test_the_token_is_how_the_record_begins() -> None:
    assert encode_record(RECORD).startswith(record_token(RECORD))


@pytest.mark.parametrize(
    "other",
    [
        replace(RECORD, version=70),
        replace(RECORD, version=8, operations=("next", *RECORD.operations)),
        replace(RECORD, operations=("another",)),
    ],
    ids=["longer_version", "next", "made_anew"],
)
def test_no_other_state_has_the_same_token(other: Record) -> None:
    assert not encode_record(other).startswith(record_token(RECORD))


def test_operations_are_remembered_newest_first_and_bounded() -> None:
    record: Record | None = None
    for number in range(40):
        record = next_record(record, append(operation_id=str(number)), None)
    assert record is not None
    assert record.operations == tuple(str(number) for number in range(39, 7, -1))


def test_a_record_has_a_largest_size() -> None:
    large = replace(RECORD.context, context_summary="x" * MAX_RECORD_BYTES)
    with pytest.raises(PayloadTooLarge):
        encode_record(replace(RECORD, context=large))
