"""OpenAPI Overlays: changes to a description, written apart from it.

Overlay 1.1.0, which says what 1.0.0 left open, for both: arrays are concatenated, plain values may
be targets, `copy` takes a value from the description itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.errors import DescriptionError
from gateway.openapi.document import Node, join
from gateway.openapi.findings import Code, Finding, finding
from gateway.openapi.jsonpath import Location, PathError, Paths

MAX_ACTIONS = 1_000
# Per overlay: every match copies the containers above it and merges a value into it.
MAX_MATCHES = 50_000
# A merged value may be repeated at every match; beyond this many values it is a bomb.
MAX_MERGED_VALUES = 2_000_000
MAX_DEPTH = 200
MAX_STEPS = 20_000_000

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Action:
    """One Action Object. `remove` wins over the others; without any it changes nothing."""

    target: str
    pointer: str
    remove: bool
    members: Json


def apply_overlay(root: Json, overlay: object) -> tuple[Json, tuple[Finding, ...]]:
    """`root` with the actions of `overlay` applied in order, and the targets that match nothing.

    `root` is not changed; what no action touches is shared with it. The pointers of findings are
    those of the overlay. Raises DescriptionError naming the pointer in the overlay that is wrong,
    or asks for more than the limits above.
    """
    actions = _read_actions(overlay)
    findings: list[Finding] = []
    changing, matches, values = _Copy(root), 0, 0
    paths = Paths(MAX_STEPS)
    for action in actions:
        found = _find(paths, changing.root, action, "target", MAX_MATCHES - matches)
        matches += len(found)
        if not found:
            text = "the target matches nothing"
            findings.append(finding(Code.OVERLAY_NO_MATCH, f"{action.pointer}/target", text))
        elif action.remove:
            _remove(changing, found, action)
        elif (source := _source(paths, changing, action)) is not None:
            values += len(found) * _size(source.value, source.pointer)
            if values > MAX_MERGED_VALUES:
                text = f"the overlay adds more than {MAX_MERGED_VALUES:,} values"
                raise _fault(source.pointer, text)
            _update(changing, found, source)
    return _object(changing.root), tuple(findings)


def _read_actions(overlay: object) -> list[_Action]:
    if not isinstance(overlay, Mapping):
        raise _fault("", "an overlay is an object")
    version = str(overlay.get("overlay", ""))
    if not version.startswith(("1.0", "1.1")):
        raise _fault("/overlay", f"is {version[:20]!r}; versions 1.0 and 1.1 are read")
    actions = overlay.get("actions")
    if not isinstance(actions, list | tuple) or not actions:
        raise _fault("/actions", "is a list of at least one action")
    if len(actions) > MAX_ACTIONS:
        raise _fault("/actions", f"more than {MAX_ACTIONS:,} actions")
    return [_read_action(action, f"/actions/{i}") for i, action in enumerate(actions)]


def _read_action(value: object, pointer: str) -> _Action:
    if not isinstance(value, Mapping):
        raise _fault(pointer, "an action is an object")
    target, remove = value.get("target"), value.get("remove", False)
    if not isinstance(target, str):
        raise _fault(f"{pointer}/target", "is a JSONPath")
    if not isinstance(remove, bool):
        raise _fault(f"{pointer}/remove", "is true or false")
    if "copy" in value and "update" in value:
        raise _fault(pointer, "`copy` and `update` exclude each other")
    return _Action(target=target, pointer=pointer, remove=remove, members=value)


def _find(paths: Paths, root: object, action: _Action, member: str, at_most: int) -> list[Location]:
    try:
        return paths.find(root, str(action.members[member]), at_most=at_most)
    except PathError as error:
        raise _fault(f"{action.pointer}/{member}", str(error)) from error


def _source(paths: Paths, changing: "_Copy", action: _Action) -> Node | None:
    """What is merged, and where the overlay says so."""
    if "update" in action.members:
        return Node(value=action.members["update"], pointer=f"{action.pointer}/update")
    if "copy" not in action.members:
        return None
    found = _find(paths, changing.root, action, "copy", 1)
    if not found:
        raise _fault(f"{action.pointer}/copy", "matches nothing")
    changing.share()
    return Node(value=changing.at(found[0]), pointer=f"{action.pointer}/copy")


def _object(root: object) -> Json:
    if not isinstance(root, Mapping):
        raise _fault("/actions", "the description is no object any more")
    return root


def _remove(changing: "_Copy", found: Sequence[Location], action: _Action) -> None:
    if () in found:
        raise _fault(f"{action.pointer}/remove", "the whole description cannot be removed")
    # From the back, so that an index still means what it meant when it was matched.
    for location in sorted(found, key=_backwards):
        holder = changing.own(location[:-1])
        if isinstance(holder, dict) and isinstance(location[-1], str):
            holder.pop(location[-1], None)
        elif isinstance(holder, list) and isinstance(location[-1], int):
            del holder[location[-1]]


def _backwards(location: Location) -> tuple[int, tuple[int, ...]]:
    """Inner places first, then by falling index."""
    return -len(location), tuple(-step for step in location if isinstance(step, int))


def _update(changing: "_Copy", found: Sequence[Location], source: Node) -> None:
    depth = _depth(source.value)
    for location in found:
        if len(location) + depth > MAX_DEPTH:
            raise _fault(source.pointer, f"the result is nested deeper than {MAX_DEPTH} levels")
        before = changing.at(location)
        if isinstance(before, list | tuple) and not isinstance(source.value, list | tuple):
            merged: object = [*before, source.value]
        else:
            merged = _merged(before, source.value, source.pointer)
        changing.put(location, merged)


def _merged(before: object, update: object, at: str) -> object:
    """Objects member by member, arrays one after the other, plain values replaced.

    Raises DescriptionError, at the pointer `at`, for combinations that say nothing.
    """
    if isinstance(before, Mapping) and isinstance(update, Mapping):
        changed = {
            key: _merged(before[key], value, join(at, str(key))) if key in before else value
            for key, value in update.items()
        }
        return {**before, **changed}
    if isinstance(before, list | tuple) and isinstance(update, list | tuple):
        return [*before, *update]
    kinds = {isinstance(v, Mapping | list | tuple) for v in (before, update)}
    if kinds == {False}:
        return update
    if update is None:
        return before  # a bare `components:` (structured example of the specification)
    raise _fault(at, "cannot be merged with what stands there: another kind of value")


class _Copy:
    """A value of which only the changed containers, and those above them, are copied."""

    def __init__(self, root: object) -> None:
        self.root = root
        self._owned: dict[int, object] = {}

    def at(self, location: Location) -> object:
        value = self.root
        for step in location:
            value = value[step]  # type: ignore[index]  # the path of a match
        return value

    def own(self, location: Location) -> object:
        """The container at `location`, copied unless an earlier change has done so."""
        if not location:
            self.root = self._copied(self.root)
            return self.root
        holder = self.own(location[:-1])
        found = self._copied(holder[location[-1]])  # type: ignore[index]
        holder[location[-1]] = found  # type: ignore[index]
        return found

    def share(self) -> None:
        """From now on a value may stand in two places: nothing is changed where it stands."""
        self._owned.clear()

    def put(self, location: Location, value: object) -> None:
        if not location:
            self.root = value
            return
        self.own(location[:-1])[location[-1]] = value  # type: ignore[index]

    def _copied(self, value: object) -> object:
        if id(value) in self._owned:
            return value
        copy: object = dict(value) if isinstance(value, Mapping) else list(value)  # type: ignore[call-overload]
        # Kept, so that no other value gets the same id while this one is being changed.
        self._owned[id(copy)] = copy
        return copy


def _size(value: object, pointer: str) -> int:
    """How many values `value` holds, itself included."""
    count, todo = 0, [(value, 0)]
    while todo:
        part, depth = todo.pop()
        count += 1
        if depth > MAX_DEPTH:
            raise _fault(pointer, f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(part, Mapping):
            todo.extend((inner, depth + 1) for inner in part.values())
        elif isinstance(part, list | tuple):
            todo.extend((inner, depth + 1) for inner in part)
    return count


def _depth(value: object) -> int:
    if isinstance(value, Mapping):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list | tuple):
        return 1 + max(map(_depth, value), default=0)
    return 0


def _fault(pointer: str, message: str) -> DescriptionError:
    return DescriptionError(f"overlay {pointer or '/'}: {message}")
