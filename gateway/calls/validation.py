"""Arguments against a tool's published schema, every fault at once.

jsonschema-rs checks in microseconds where jsonschema takes up to a millisecond, matches patterns
with bounded backtracking, and never leaves the process: `offline` refuses every `$ref` outside.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice

import jsonschema_rs

from gateway.calls.costs import count_nodes, outline, plain, weigh
from gateway.errors import DescriptionError, Fault

MAX_FAULTS = 50
MAX_MESSAGE = 300
# Weight times values: what is below takes milliseconds, and all that is above could take minutes.
EXPLAIN_BUDGET = 50_000
REQUIRED = "is required"
_MASK = "value"
_UNKNOWN = "is not known here"
_NO_FORM = "fits none of the forms that its schema allows"

_TYPE_NAMES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    ((list, tuple), "array"),
    (Mapping, "object"),
)


class ArgumentValidator:
    """One tool's compiled input schema."""

    def __init__(self, schema: dict[str, object]) -> None:
        """Raise DescriptionError for a schema that does not compile."""
        try:
            self._compiled = compile_schema(schema)
        except ValueError as error:
            reason = str(error).splitlines()[0][:MAX_MESSAGE]
            raise DescriptionError(f"the input schema cannot be used: {reason}") from error
        self._schema = schema
        self._alone: dict[str, jsonschema_rs.Draft202012Validator | None] = {}

    def is_valid(self, arguments: Mapping[str, object]) -> bool:
        return self._compiled.is_valid(arguments)

    def faults(self, arguments: Mapping[str, object]) -> tuple[Fault, ...]:
        """What is wrong, by JSON Pointer; MAX_FAULTS at most.

        Where explaining the alternatives would cost too much, an argument that fits none of them
        is only named.
        """
        if surplus := self._surplus(arguments):
            return surplus
        nodes = count_nodes(arguments, EXPLAIN_BUDGET)
        if nodes * self._weight <= EXPLAIN_BUDGET:
            found = _explained(self._compiled, arguments)
        elif self.is_valid(arguments):
            found = []
        else:
            found = self._named(arguments, nodes)
        return tuple(sorted(dict.fromkeys(found), key=lambda f: (f.pointer, f.message)))

    def _surplus(self, arguments: Mapping[str, object]) -> tuple[Fault, ...]:
        """The unknown names, where they alone are more than can be told."""
        # The library writes a text of all of them, and takes half a second for a quarter million.
        properties = self._schema.get("properties", {})
        closed = self._schema.get("additionalProperties") is False
        if not closed or "patternProperties" in self._schema or not isinstance(properties, Mapping):
            return ()
        if len(arguments) - len(properties) <= MAX_FAULTS:
            return ()
        return tuple(_unknown([], [name for name in arguments if name not in properties]))

    def _named(self, arguments: Mapping[str, object], nodes: int) -> list[Fault]:
        # All errors are made before the first is given: a million wrong items take gigabytes.
        affordable = nodes * self._plain_weight <= EXPLAIN_BUDGET
        found = _explained(self._plain if affordable else self._outline, arguments)
        named = {fault.pointer.split("/")[1] for fault in found if fault.pointer}
        for name, value in arguments.items():
            if len(found) >= MAX_FAULTS:
                break
            pointer = pointer_of([name])
            if pointer[1:] not in named and not self._is_valid_alone(name, value):
                found.append(Fault(pointer=pointer, message=_NO_FORM))
        return found or [Fault(pointer="", message=_NO_FORM)]

    @cached_property
    def _weight(self) -> float:
        return weigh(self._schema)

    @cached_property
    def _plain_weight(self) -> float:
        return weigh(plain(self._schema))

    @cached_property
    def _plain(self) -> jsonschema_rs.Draft202012Validator:
        return compile_schema(plain(self._schema))

    @cached_property
    def _outline(self) -> jsonschema_rs.Draft202012Validator:
        return compile_schema(outline(self._schema))

    def _is_valid_alone(self, name: str, value: object) -> bool:
        properties = self._schema.get("properties")
        if not isinstance(properties, Mapping) or name not in properties:
            return True
        if name not in self._alone:
            schema = {"$defs": self._schema.get("$defs", {}), "allOf": [properties[name]]}
            try:
                self._alone[name] = compile_schema(schema)
            except ValueError:  # it refers to a part of the schema outside `$defs`
                self._alone[name] = None
        validator = self._alone[name]
        return validator is None or validator.is_valid(value)


def compile_schema(schema: dict[str, object]) -> jsonschema_rs.Draft202012Validator:
    """Raises ValueError. Nothing outside the schema is ever fetched."""
    return jsonschema_rs.Draft202012Validator(schema, mask=_MASK, offline=True)


def _explained(
    validator: jsonschema_rs.Draft202012Validator, arguments: Mapping[str, object]
) -> list[Fault]:
    errors = validator.iter_errors(arguments)
    return list(islice((f for error in errors for f in _faults(error, arguments)), MAX_FAULTS))


def pointer_of(path: Sequence[str | int]) -> str:
    """A path of keys and indexes as a JSON Pointer (RFC 6901)."""
    return "".join(f"/{str(p).replace('~', '~0').replace('/', '~1')}" for p in path)


def type_name(value: object) -> str:
    """The JSON type of `value`."""
    return next((name for kind, name in _TYPE_NAMES if isinstance(value, kind)), "null")


def _faults(
    error: jsonschema_rs.ValidationError, arguments: Mapping[str, object]
) -> Iterator[Fault]:
    path = list(error.instance_path)
    kind = error.kind
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
        yield Fault(pointer=pointer_of([*path, str(kind.property)]), message=REQUIRED)
    elif isinstance(kind, jsonschema_rs.ValidationErrorKind.AdditionalProperties):
        yield from _unknown(path, kind.unexpected)
    elif _admits_no_names(error) and isinstance(value := _value_at(arguments, path), Mapping):
        yield from _unknown(path, value)
    else:
        describe = _DESCRIBE.get(type(kind))
        received = type_name(_value_at(arguments, path))
        text = describe(kind, received) if describe else error.message
        yield Fault(pointer=pointer_of(path), message=text[:MAX_MESSAGE])


def _unknown(path: Sequence[str | int], names: Collection[str]) -> Iterator[Fault]:
    shown = len(names) if len(names) <= MAX_FAULTS else MAX_FAULTS - 1
    for name in islice(names, shown):
        yield Fault(pointer=pointer_of([*path, name]), message=_UNKNOWN)
    if shown < len(names):
        message = f"has {len(names) - shown} more names that are not known here"
        yield Fault(pointer=pointer_of(path), message=message)


def _admits_no_names(error: jsonschema_rs.ValidationError) -> bool:
    """Whether `additionalProperties: false` stands alone, which is reported of the whole object."""
    by_false = isinstance(error.kind, jsonschema_rs.ValidationErrorKind.FalseSchema)
    return by_false and list(error.schema_path)[-1:] == ["additionalProperties"]


def _value_at(value: object, path: Sequence[str | int]) -> object:
    for step in path:
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list | tuple) and isinstance(step, int):
            value = value[step]
    return value


def _wrong_type(kind: object, received: str) -> str:
    types = getattr(kind, "types", [])
    return f"expected {' or '.join(types)}, received {received}"


def _no_form(_: object, received: str) -> str:
    return f"matches none of the allowed forms, received {received}"


def _bad_name(_: object, __: str) -> str:
    return "has a property whose name is not allowed"


_DESCRIBE: Mapping[type, Callable[[object, str], str]] = {
    jsonschema_rs.ValidationErrorKind.Type: _wrong_type,
    jsonschema_rs.ValidationErrorKind.AnyOf: _no_form,
    jsonschema_rs.ValidationErrorKind.OneOfNotValid: _no_form,
    jsonschema_rs.ValidationErrorKind.PropertyNames: _bad_name,
}
