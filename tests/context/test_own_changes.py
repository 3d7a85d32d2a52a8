import pytest

from gateway.context.own_changes import CreateContext, DeleteContext, PatchContext
from gateway.context.patching import read_patch
from gateway.errors import ContextExists, VersionConflict
from tests.support.contexts import a_context, append

LATER = "2026-01-01T00:00:01.000000Z"


def test_creating_is_for_what_is_not_there() -> None:
    create = CreateContext(operation_id="1", context=a_context())

    assert create.apply(None) == a_context()
    with pytest.raises(ContextExists):
        create.apply(a_context())


def test_patching_starts_nothing() -> None:
    patch = PatchContext(operation_id="1", patch=read_patch({"goal": "g"}), moment=LATER)

    assert patch.apply(None) is None


def test_a_condition_holds_for_the_context_that_was_read_and_no_other() -> None:
    read, changed = a_context(), append().apply(a_context())
    patch = PatchContext(operation_id="1", patch=read_patch({}), moment=LATER, only_if=read)
    delete = DeleteContext(operation_id="2", only_if=read)

    assert patch.apply(a_context()) is not None
    assert delete.apply(a_context()) is None
    assert delete.apply(None) is None
    for change in (patch, delete):
        with pytest.raises(VersionConflict):
            change.apply(changed)
