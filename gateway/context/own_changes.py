"""What a caller does to its contexts on purpose: the steps that start, patch and end one.

None of them is a call: history and `interaction_count` stay as they are.
"""

from dataclasses import dataclass

from gateway.context.model import AgentContext
from gateway.context.patching import ContextPatch
from gateway.errors import ContextExists, VersionConflict


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateContext:
    """Starts `context`; `apply` raises ContextExists where there is one."""

    operation_id: str
    context: AgentContext

    def apply(self, now: AgentContext | None) -> AgentContext | None:
        if now is not None:
            raise ContextExists("there is a context of this id already")
        return self.context


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchContext:
    """Patches a context at `moment`; nothing is started.

    `only_if` is the context as its writer has read it: `apply` raises VersionConflict if it is
    another by now, and InvalidArguments as ContextPatch does.
    """

    operation_id: str
    patch: ContextPatch
    moment: str
    only_if: AgentContext | None = None

    def apply(self, now: AgentContext | None) -> AgentContext | None:
        if now is None:
            return None
        _check_unchanged(now, self.only_if)
        return self.patch.apply_to(now, self.moment)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteContext:
    """Ends a context; `only_if` as in PatchContext."""

    operation_id: str
    only_if: AgentContext | None = None

    def apply(self, now: AgentContext | None) -> AgentContext | None:
        if now is not None:
            _check_unchanged(now, self.only_if)
        return None


def _check_unchanged(now: AgentContext, read: AgentContext | None) -> None:
    # Versions would not do: a context that was deleted and made anew counts from 1 again.
    if read is not None and now != read:
        raise VersionConflict("the context has changed since it was read")
