"""A validator's errors as findings: the one alternative that was meant, in words, values masked."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice

from jsonschema_rs import ValidationError
from jsonschema_rs import ValidationErrorKind as Kind

from gateway.openapi.document import join
from gateway.openapi.findings import Code, Finding, finding

# Errors that are looked at in one document; a document that is wrong everywhere has enough of them.
MAX_ERRORS = 1_000
MAX_OPTIONS = 8
MAX_NESTING = 64

_TYPE_NAMES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    ((list, tuple), "array"),
    (Mapping, "object"),
)


def explain(errors: Iterable[ValidationError], root: object) -> Iterator[Finding]:
    """What is wrong with `root`, at the deepest place that the errors lead to."""
    leaves = [leaf for e in islice(errors, MAX_ERRORS) for leaf in _leaves(e, root)]
    incomplete = {
        pointer_to(leaf)
        for leaf in leaves
        # Written `required: [default]` in the meta-schema of 3.1, it means "at least one response".
        if isinstance(leaf.kind, Kind.Required) and leaf.kind.property != "default"
    }
    for leaf in leaves:
        # Where a part of the meta-schema failed, its members count as unevaluated: an echo.
        if not (
            isinstance(leaf.kind, Kind.UnevaluatedProperties) and pointer_to(leaf) in incomplete
        ):
            yield from _findings(leaf, root)


def pointer_to(error: ValidationError) -> str:
    """The JSON Pointer of the value that `error` is about."""
    pointer = ""
    for step in error.instance_path:
        pointer = join(pointer, str(step))
    return pointer


def _leaves(error: ValidationError, root: object, nesting: int = 0) -> list[ValidationError]:
    """The errors of the likeliest alternative, and of its alternatives in turn."""
    kind = error.kind
    if not isinstance(kind, Kind.AnyOf | Kind.OneOfNotValid) or nesting >= MAX_NESTING:
        return [error]
    value = _value_at(root, error)
    refers = isinstance(value, Mapping) and "$ref" in value
    branches = [
        [leaf for e in branch for leaf in _leaves(e, root, nesting + 1)]
        for branch in kind.context
        if refers or not any(_wants_reference(e, error) for e in branch)
    ]
    branches = [branch for branch in branches if branch]
    return min(branches, key=_distance) if branches else [error]


def _wants_reference(error: ValidationError, alternatives: ValidationError) -> bool:
    return (
        isinstance(error.kind, Kind.Required)
        and error.kind.property == "$ref"
        and len(error.instance_path) == len(alternatives.instance_path)
    )


def _distance(branch: list[ValidationError]) -> tuple[int, int, int]:
    """How far a value is from an alternative: another kind of thing, then the number of errors."""
    other = sum(isinstance(e.kind, Kind.Enum) and len(e.kind.options) == 1 for e in branch)
    return other, len(branch), -max(len(e.instance_path) for e in branch)


def _findings(error: ValidationError, root: object) -> Iterator[Finding]:
    kind, pointer = error.kind, pointer_to(error)
    if isinstance(kind, Kind.Required):
        yield finding(Code.STRUCTURE_MISSING, pointer, _missing(kind.property))
    elif isinstance(kind, Kind.AdditionalProperties | Kind.UnevaluatedProperties):
        for name in kind.unexpected:
            yield finding(Code.STRUCTURE_UNKNOWN, join(pointer, name), "is not known here")
    elif isinstance(kind, Kind.Type):
        received = _type_name(_value_at(root, error))
        text = f"expected {' or '.join(sorted(kind.types))}, received {received}"
        yield finding(Code.STRUCTURE_TYPE, pointer, text)
    else:
        describe = _DESCRIBE.get(type(kind))
        yield finding(Code.STRUCTURE_VALUE, pointer, describe(kind) if describe else error.message)


def _missing(name: str) -> str:
    return "has no responses" if name == "default" else f"`{name}` is required"


def _options(kind: object) -> str:
    options = getattr(kind, "options", [])
    shown = ", ".join(str(option) for option in options[:MAX_OPTIONS])
    more = f" and {len(options) - MAX_OPTIONS} more" if len(options) > MAX_OPTIONS else ""
    return f"is not one of {shown}{more}"


def _excluded(kind: object) -> str:
    schema = getattr(kind, "schema", None)
    names = schema.get("required") if isinstance(schema, Mapping) else None
    if isinstance(names, list) and names:
        return f"{' and '.join(f'`{name}`' for name in names)} must not stand here"
    return "is what must not stand here"


_DESCRIBE: Mapping[type, Callable[[object], str]] = {
    Kind.Enum: _options,
    Kind.Not: _excluded,
    Kind.OneOfMultipleValid: lambda _: "combines what excludes each other",
    Kind.AnyOf: lambda _: "has none of the allowed forms",
    Kind.OneOfNotValid: lambda _: "has none of the allowed forms",
    Kind.PropertyNames: lambda _: "has a member whose name is not allowed",
    Kind.FalseSchema: lambda _: "must not stand here",
    Kind.UniqueItems: lambda _: "says the same thing twice",
}


def _value_at(value: object, error: ValidationError) -> object:
    for step in error.instance_path:
        if isinstance(value, Mapping):
            value = value.get(str(step))
        elif isinstance(value, list | tuple) and isinstance(step, int):
            value = value[step]
    return value


def _type_name(value: object) -> str:
    return next((name for kind, name in _TYPE_NAMES if isinstance(value, kind)), "null")
