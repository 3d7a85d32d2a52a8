"""Keywords that JSON Schema 2020-12 has replaced, in its own words.

Whatever dialect a description names: 2020-12 has given neither word another meaning, so who writes
one means the old one.
"""

from collections.abc import Mapping

from gateway.openapi.hygiene import hides_something
from gateway.openapi.keywords import fits

OLDER = frozenset({"additionalItems", "dependencies"})

_Json = dict[str, object]


def replace_older(out: _Json, schema: Mapping[str, object]) -> None:
    """Of `out`, which is `schema` converted keyword by keyword, the OLDER ones."""
    if "additionalItems" in out:
        rest = out.pop("additionalItems")
        # It says nothing beside one schema for all items (draft-07 section 6.4.2).
        if isinstance(schema.get("items"), list):
            out["items"] = rest
    if isinstance(converted := out.pop("dependencies", None), dict):
        given = schema["dependencies"]
        _put_dependencies(out, given if isinstance(given, dict) else {}, converted)


def _put_dependencies(
    out: _Json, given: Mapping[object, object], converted: Mapping[str, object]
) -> None:
    """Draft-07 section 6.5.7: a list of names, or a schema."""
    names: _Json = {}
    schemas: _Json = {}
    for name, wanted in given.items():
        if isinstance(wanted, dict | bool):
            schemas[str(name)] = converted[str(name)]
        elif fits("dependentRequired", {"": wanted}) and not hides_something(wanted):
            names[str(name)] = wanted
    for key, found in (("dependentRequired", names), ("dependentSchemas", schemas)):
        modern = out.get(key)
        if found:
            out[key] = found | (modern if isinstance(modern, dict) else {})
