"""The rules of every operation that has been asked for, kept as long as the operation is."""

from dataclasses import dataclass, field
from weakref import WeakKeyDictionary, ref

from gateway.catalog import Tool
from gateway.openapi import Direction, Schemas
from gateway.traffic.everything import all_bodies
from gateway.traffic.pools import Pool
from gateway.traffic.reading import RulesReader, place_of_answer
from gateway.traffic.rules import MessageRules
from gateway.traffic.texts import Segment, split_template


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRules:
    """What is said of an operation's requests. `template` is its path's."""

    template: tuple[Segment, ...]
    rules: MessageRules


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared:
    """What the operations of one description share; `answers` by the place that describes them."""

    sent: Pool
    answered: Pool
    answers: dict[str, MessageRules] = field(default_factory=dict)


class Book:
    """`find_*` only looks; `read_*` compiles, may take some ten milliseconds and run in a thread.

    One `read_*` at a time; everything else goes on meanwhile.
    """

    def __init__(self) -> None:
        self._requests: WeakKeyDictionary[Tool, RequestRules] = WeakKeyDictionary()
        self._answers: WeakKeyDictionary[Tool, dict[int, MessageRules | None]] = WeakKeyDictionary()
        self._shared: WeakKeyDictionary[Schemas, _Shared] = WeakKeyDictionary()

    def find_request(self, tool: Tool) -> RequestRules | None:
        return self._requests.get(tool)

    def read_request(self, tool: Tool) -> RequestRules:
        found = self._requests.get(tool)
        if found is None:
            path = tool.path.partition("#")[0].partition("?")[0]
            pool = self._shared_of(tool).sent
            rules = RulesReader(tool.schemas, pool, Direction.REQUEST).read_request(tool)
            found = RequestRules(template=split_template(path), rules=rules)
            self._requests[tool] = found
        return found

    def knows_answer(self, tool: Tool, status: int) -> bool:
        return status in self._answers.get(tool, ())

    def find_answer(self, tool: Tool, status: int) -> MessageRules | None:
        """None where answers of this status are not described, or not known yet."""
        return self._answers.get(tool, {}).get(status)

    def read_answer(self, tool: Tool, status: int) -> MessageRules | None:
        known = self._answers.setdefault(tool, {})
        if status not in known:
            known[status] = self._made(tool, status)
        return known[status]

    def _made(self, tool: Tool, status: int) -> MessageRules | None:
        """An API chooses its statuses, and many of its operations answer faults alike."""
        place = place_of_answer(tool, status)
        if place is None:
            return None
        shared = self._shared_of(tool)
        if place not in shared.answers:
            reader = RulesReader(tool.schemas, shared.answered, Direction.RESPONSE)
            shared.answers[place] = reader.read_answer(tool, status)
        return shared.answers[place]

    def _shared_of(self, tool: Tool) -> _Shared:
        found = self._shared.get(tool.schemas)
        if found is None:
            found = self._shared[tool.schemas] = _Shared(
                sent=_pool(tool.schemas, Direction.REQUEST),
                answered=_pool(tool.schemas, Direction.RESPONSE),
            )
        return found


def _pool(schemas: Schemas, direction: Direction) -> Pool:
    # What is kept by the schemas must not keep them.
    weak = ref(schemas)

    def everything() -> dict[str, object]:
        found = weak()
        return all_bodies(found, direction) if found is not None else {}

    return Pool(everything)
