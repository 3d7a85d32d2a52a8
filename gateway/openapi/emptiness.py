"""Parameters that may be sent empty (OpenAPI 3.1 section 4.8.12.2.1, `allowEmptyValue`)."""

from collections.abc import Mapping

Json = dict[str, object]

# What may stand beside `type: string` and still admit the empty text.
_HARMLESS = frozenset(
    {"type", "maxLength", "title", "description", "default", "examples", "deprecated"}
    | {"readOnly", "writeOnly"}
)
_TEXTS = ("title", "description", "default", "examples", "deprecated")


def admit_empty(schema: Mapping[str, object]) -> Json:
    """`schema` or the empty text: it is for the API to say what nothing means."""
    kinds = schema.get("type", ())
    is_text = "string" in kinds if isinstance(kinds, str | list | tuple) else False
    if not schema or (is_text and schema.keys() <= _HARMLESS):
        return dict(schema)
    shown = {key: schema[key] for key in _TEXTS if key in schema}
    whole = {key: value for key, value in schema.items() if key not in shown}
    return {**shown, "anyOf": [whole, {"const": ""}]}
