"""Compiled schemas of one API, which share their memory.

A validator holds all that its schema refers to. Where models refer to each other that is the same
few megabytes for each of hundreds of operations; compiled together they take them once.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

import jsonschema_rs
import orjson

from gateway.calls import ArgumentValidator, compile_schema
from gateway.errors import DescriptionError, Fault

Json = dict[str, object]

# In bytes of JSON, of all that are compiled alone. Compiled, one is ten to twenty.
ALONE_BYTES = 524_288
# Explaining a fault takes a validator of its own.
MAX_EXPLAINERS = 16
_VALUE = "value"


class Check:
    """One schema of a pool: whether a value is as it says, and if not, why."""

    __slots__ = ("_place", "_pool", "_prefix", "schema")

    def __init__(self, pool: "Pool", place: str, prefix: str, schema: Json) -> None:
        self._pool = pool
        self._place = place
        self._prefix = prefix
        self.schema = schema

    def is_valid(self, value: object) -> bool:
        return self._pool.is_valid(self._place, value)

    def faults(self, value: object) -> tuple[Fault, ...]:
        """As ArgumentValidator.faults, with the prefix before each pointer."""
        found = self._pool.explainer(self._place, self.schema).faults({_VALUE: value})
        return tuple(replace(f, pointer=self._prefix + f.pointer[len(_VALUE) + 1 :]) for f in found)


class Pool:
    """`add` may run in a thread, one at a time; everything else goes on meanwhile.

    `everything` gives all schemas that will ever be asked for, by place, closed under one `$defs`.
    It is called once, when it is cheaper to have them compiled together.
    """

    def __init__(self, everything: Callable[[], Json]) -> None:
        self._everything: Callable[[], Json] | None = everything
        self._together = compile_schema({})
        self._places: frozenset[str] = frozenset()
        self._alone: dict[str, jsonschema_rs.Draft202012Validator] = {}
        self._alone_bytes = 0
        self._explainers: OrderedDict[str, ArgumentValidator] = OrderedDict()

    def add(self, prefix: str, place: str, schema: Mapping[str, object]) -> Check:
        """Compile the bundled schema of a place; `prefix` is the value's own pointer.

        Raises DescriptionError where it does not compile.
        """
        if place not in self._places and place not in self._alone:
            self._compile(place, _whole(place, schema))
        return Check(self, place, prefix, dict(schema))

    def is_valid(self, place: str, value: object) -> bool:
        validator = self._alone.get(place) or self._together
        return validator.is_valid({place: value})

    def explainer(self, place: str, schema: Mapping[str, object]) -> ArgumentValidator:
        found = self._explainers.get(place)
        if found is None:
            found = self._explainers[place] = ArgumentValidator(_whole(_VALUE, schema))
            if len(self._explainers) > MAX_EXPLAINERS:
                self._explainers.popitem(last=False)
        return found

    def _compile(self, place: str, whole: Json) -> None:
        self._alone_bytes += len(orjson.dumps(whole))
        if self._alone_bytes > ALONE_BYTES and self._everything is not None:
            everything, self._everything = self._everything, None
            self._compile_all(everything())
        if place in self._places:
            return
        try:
            self._alone[place] = compile_schema(whole)
        except ValueError as error:
            raise DescriptionError("the schema cannot be compiled") from error

    def _compile_all(self, everything: Json) -> None:
        places = frozenset(_members(everything, "properties"))
        with suppress(ValueError):  # one that does not compile costs all of them
            self._together = compile_schema(everything)
            self._places = places
            # At once and after: what is no more found alone is found there.
            self._alone = {k: v for k, v in self._alone.items() if k not in places}


def _whole(key: str, schema: Mapping[str, object]) -> Json:
    """An object schema whose member `key` is as `schema` says."""
    own = {name: part for name, part in schema.items() if name != "$defs"}
    made: Json = {"properties": {key: own}}
    if "$defs" in schema:
        made["$defs"] = schema["$defs"]
    return made


def _members(schema: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = schema.get(key)
    return found if isinstance(found, Mapping) else {}
