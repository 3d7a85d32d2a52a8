"""What a description says of one message, compiled: its parameters or headers, its bodies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.openapi import Convert, Encoding, Parameter, admit_empty
from gateway.traffic.pools import Check
from gateway.traffic.shapes import ANY, Shape, read_shape

Json = dict[str, object]
LOCATIONS = ("path", "query", "header", "cookie")


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A parameter, or a header of an answer, with the shape of its values."""

    parameter: Parameter
    shape: Shape = ANY


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadRules:
    """The parameters by location. `check` is of all of them in one object; None: nothing to check.

    `names` are those of each location.
    """

    parameters: Mapping[str, tuple[Described, ...]]
    names: Mapping[str, frozenset[str]]
    check: Check | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyRule:
    """What is said of bodies of one media type or range. `check` None: nothing, or nothing usable.

    `required` are the members of a form that have to be there, `closed`: there may be no others.
    """

    media_type: str
    check: Check | None
    shape: Shape = ANY
    encodings: Mapping[str, Encoding] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyRules:
    """The bodies that a message may have; empty: nothing is said of them."""

    by_type: Mapping[str, BodyRule]
    required: bool = False

    def find(self, essence: str) -> BodyRule | None:
        """The rule of a media type: its own, its range's, that of all (OpenAPI 3.1, 4.8.14.1)."""
        kind = essence.partition("/")[0]
        for key in (essence, f"{kind}/*", "*/*"):
            if key in self.by_type:
                return self.by_type[key]
        return None


NO_BODIES = BodyRules(by_type={})


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRules:
    """All that is said of a request, or of the answers of one status.

    `unjudged` says what could not be compiled, and why.
    """

    head: HeadRules
    bodies: BodyRules = NO_BODIES
    unjudged: tuple[str, ...] = ()


def head_schema(parameters: Mapping[str, Sequence[Parameter]], convert: Convert) -> Json:
    """One object of objects: a member for each location that has parameters."""
    properties: Json = {}
    required: list[str] = []
    for location, listed in parameters.items():
        if not listed:
            continue
        inner: Json = {
            "type": "object",
            "properties": {p.name: _converted(p, convert) for p in listed},
        }
        if names := sorted({p.name for p in listed if p.required}):
            inner["required"] = names
            required.append(location)
        properties[location] = inner
    return {"type": "object", "properties": properties, "required": required}


def describe(
    parameters: Mapping[str, Sequence[Parameter]], schema: Mapping[str, object]
) -> Mapping[str, tuple[Described, ...]]:
    """The parameters with their shapes, as the bundled `head_schema` has them."""
    defs = _members(schema, "$defs")
    found: dict[str, tuple[Described, ...]] = {}
    for location, listed in parameters.items():
        inner = _members(_members(_members(schema, "properties"), location), "properties")
        found[location] = tuple(
            Described(parameter=p, shape=read_shape(inner.get(p.name, True), defs)) for p in listed
        )
    return found


def _converted(parameter: Parameter, convert: Convert) -> Json | bool:
    made = convert(parameter.schema, parameter.schema_pointer)
    return admit_empty(made) if parameter.allow_empty and isinstance(made, dict) else made


def _members(schema: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = schema.get(key)
    return found if isinstance(found, Mapping) else {}
