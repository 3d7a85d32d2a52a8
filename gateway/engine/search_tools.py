"""What the gateway's own tools for finding and calling others do."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from difflib import get_close_matches
from typing import TypeVar

from gateway.calls import ArgumentValidator
from gateway.catalog import Additions, Tool, View
from gateway.context import NativeOutcome
from gateway.engine.context_tools import native_outcome, take_context
from gateway.engine.recording import Contexts, Record
from gateway.engine.search_additions import CALL, DESCRIBE, LIMIT, SEARCH
from gateway.engine.values import CallOutcome, ToolCall
from gateway.errors import Fault, InvalidArguments
from gateway.interfaces import ToolSearch
from gateway.mcp import V2026_07_28, describe_native, describe_tool
from gateway.openapi import join, limit_text

Json = dict[str, object]
T = TypeVar("T")

_LINE = 160
"""Characters of a description in a list of tools."""
_CLOSE = 0.8
"""How alike a wrong name and a right one are (`difflib`), so that it is a slip of the pen."""
_SUGGESTED = 3


class SearchTools:
    """What the tools of `search_tools` do. A call through CALL is recorded as the other's."""

    def __init__(
        self,
        search: ToolSearch,
        contexts: Contexts,
        additions: Additions,
        view: Callable[[str | None], View],
    ) -> None:
        """`view`: that of an API, or of all; raises UnknownApi, ApiUnavailable."""
        self._search = search
        self._contexts = contexts
        self._additions = additions
        self._view = view
        self._validators = {
            tool.name: ArgumentValidator(dict(tool.input_schema))
            for tool in additions.tools
            if tool.name in (SEARCH, DESCRIBE, CALL)
        }

    async def call(self, call: ToolCall) -> CallOutcome:
        """Search or describe. Raises InvalidArguments and what a store or a view raises."""
        given = self._checked(call)
        make = self._found if call.name == SEARCH else self._described
        shown = await make(self._view(call.api), given.arguments)
        context_id = given.claim.named_id or self._contexts.new_id()
        talk = await self._contexts.open(call.principal, given.claim, context_id)
        record = Record(self._contexts, talk, None, call.name)
        await record.answered(NativeOutcome.DONE)
        return native_outcome(shown, talk.context.context_id, recorded=bool(record.recorded))

    async def through(self, call: ToolCall, make: Callable[[ToolCall], Awaitable[T]]) -> T:
        """What `make` makes of the call that a CALL is about.

        Raises InvalidArguments, and what `make` does.
        """
        inner = await self._unwrapped(self._checked(call))
        with _within_arguments():
            return await make(inner)

    async def _unwrapped(self, call: ToolCall) -> ToolCall:
        name, arguments = str(call.arguments["name"]), call.arguments.get("arguments")
        if name == CALL:
            raise InvalidArguments(Fault(pointer="/name", message="is this very tool"))
        if self._additions.find(name) is None:
            view = self._view(call.api)
            if view.find(name) is None:
                raise InvalidArguments(await self._unknown(view, "/name", name))
        return replace(
            call, name=name, arguments=arguments if isinstance(arguments, Mapping) else {}
        )

    def _checked(self, call: ToolCall) -> ToolCall:
        """As with every argument, null says nothing."""
        given = {name: value for name, value in call.arguments.items() if value is not None}
        validator = self._validators[call.name]
        if not validator.is_valid(given):  # which takes a tenth of looking for faults
            raise InvalidArguments(*validator.faults(given))
        # Its validator has seen to it that there is an id of the right form, or none.
        return take_context(replace(call, arguments=given)).call

    async def _found(self, view: View, given: Mapping[str, object]) -> Json:
        api, limit = given.get("api"), given.get("limit", LIMIT)
        wanted = api if isinstance(api, str) else None
        if wanted is not None and wanted not in _apis(view):
            message = f"there is no such API here; there are {', '.join(_apis(view))}"
            raise InvalidArguments(Fault(pointer="/api", message=message))
        names = await self._search.find(view, str(given.get("query", "")), api=wanted)
        # JSON Schema takes 20.0 for an integer, so it is one here too.
        most = int(limit) if isinstance(limit, (int, float)) else LIMIT
        shown: Json = {
            "tools": [_line(name, view.tools[name]) for name in names[:most]],
            "found": len(names),
        }
        if names:
            return shown
        hint = "Nothing fits. Say what is to be done and with what, such as: list open orders."
        return {**shown, "hint": hint, "apis": _apis(view)}

    async def _described(self, view: View, given: Mapping[str, object]) -> Json:
        one, several = given.get("name"), given.get("names")
        named = {} if one is None else {"/name": str(one)}
        if isinstance(several, list):
            named |= {f"/names/{index}": str(name) for index, name in enumerate(several)}
        if not named:
            raise InvalidArguments(Fault(pointer="", message="name, or names, is required"))
        definitions = {at: self._definition(view, name) for at, name in named.items()}
        missing = [at for at, definition in definitions.items() if definition is None]
        if missing:
            raise InvalidArguments(*[await self._unknown(view, at, named[at]) for at in missing])
        return {"tools": list(definitions.values())}

    def _definition(self, view: View, name: str) -> Json | None:
        own, tool = self._additions.find(name), view.find(name)
        if own is not None:
            return describe_native(own, V2026_07_28)
        if tool is None:
            return None
        return describe_tool(view.published_name(tool), tool, V2026_07_28, self._additions)

    async def _unknown(self, view: View, pointer: str, name: str) -> Fault:
        """What is close to it: by spelling, else by what its words are about."""
        close = get_close_matches(name[:64], view.tools, n=_SUGGESTED, cutoff=_CLOSE)
        found = await self._search.find(view, name[:64])
        names = list(dict.fromkeys((*close, *found)))[:_SUGGESTED]
        hint = f"; did you mean {' or '.join(names)}?" if names else f"; {SEARCH} finds tools"
        return Fault(pointer=pointer, message=f"there is no tool of this name{hint}")


@contextmanager
def _within_arguments() -> Iterator[None]:
    """Faults that the block finds in a tool's arguments are in an argument of CALL."""
    try:
        yield
    except InvalidArguments as error:
        inner = InvalidArguments(
            *(
                Fault(pointer=join("", "arguments") + fault.pointer, message=fault.message)
                for fault in error.faults
            )
        )
        inner.context_id = error.context_id
        raise inner from error


def _apis(view: View) -> dict[str, int]:
    """How many tools each API has."""
    counts: dict[str, int] = {}
    for tool in view.tools.values():
        counts[tool.api] = counts.get(tool.api, 0) + 1
    return dict(sorted(counts.items()))


def _line(name: str, tool: Tool) -> Json:
    """What a model needs to choose a tool, and often to call it."""
    first = next((line for line in tool.description.splitlines() if line.strip()), "")
    shown: Json = {"name": name, "description": limit_text(first, _LINE), "api": tool.api}
    if required := [each.name for each in tool.open_arguments if each.required]:
        shown["required"] = required
    return shown
