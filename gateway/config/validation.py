"""The schema's judgement of a Tree, in words that name the key and never the value."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from gateway.config.tree import Keys, Tree
from gateway.config.vocabulary import SCHEMA


def _pattern(
    _validator: object, pattern: str, instance: object, _schema: object
) -> Iterator[ValidationError]:
    """The keyword as ECMA-262 has it: there `$` is the end, in Python also before a line's end.

    Every pattern of the vocabulary is one for the whole text.
    """
    if isinstance(instance, str) and re.fullmatch(pattern, instance) is None:
        yield ValidationError("does not match")


_VALIDATOR = extend(Draft202012Validator, {"pattern": _pattern})(SCHEMA)  # type: ignore[no-untyped-call]
_TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "an integer",
    "null": "null",
    "number": "a number",
    "object": "a mapping",
    "string": "text",
}


def check_schema(tree: Tree) -> None:
    """Adds a fault for every mistake that the schema can see."""
    for error in _VALIDATOR.iter_errors(tree.root):
        keys: Keys = tuple(error.absolute_path)
        if error.validator == "additionalProperties":
            _unknown_keys(tree, keys, error)
        else:
            _one_fault(tree, keys, error)


def suggestion(word: str, known: Iterable[str]) -> str:
    """` (did you mean ...?)`, or nothing when nothing is near."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean {near[0]}?)" if near else ""


def _unknown_keys(tree: Tree, keys: Keys, error: ValidationError) -> None:
    known = _mapping(_mapping(error.schema).get("properties"))
    for key in _mapping(error.instance):
        if key not in known:
            tree.fault((*keys, key), f"unknown key{suggestion(key, known)}")


def _one_fault(tree: Tree, keys: Keys, error: ValidationError) -> None:
    if "propertyNames" in error.absolute_schema_path:
        # Here the instance is a key, and a key is no secret.
        keys = (*keys, str(error.instance))
    later = _mapping(error.schema).get("x-later")
    if later is not None:
        tree.fault(keys, f"not available yet in this version ({later})")
        return
    explain = _MESSAGES.get(str(error.validator), _unexplained)
    tree.fault(keys, explain(error))


def _wrong_type(error: ValidationError) -> str:
    wanted = " or ".join(_TYPES[name] for name in _words(error))
    return f"must be {wanted}, not {_kind(error.instance)}"


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a mapping" if isinstance(value, Mapping) else "a list"


def _missing(error: ValidationError) -> str:
    absent = [key for key in _words(error) if key not in _mapping(error.instance)]
    return f"needs {' and '.join(absent)}"


def _not_one_of(error: ValidationError) -> str:
    known = _words(error)
    return f"must be one of {', '.join(known)}{suggestion(str(error.instance), known)}"


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _words(error: ValidationError) -> list[str]:
    value = error.validator_value
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _unexplained(error: ValidationError) -> str:
    return f"does not satisfy {error.validator}"


_MESSAGES: Mapping[str, Callable[[ValidationError], str]] = {
    "type": _wrong_type,
    "required": _missing,
    "enum": _not_one_of,
    "pattern": lambda error: str(_mapping(error.schema)["x-fault"]),
    "minLength": lambda _: "must not be empty",
    "minProperties": lambda _: "must not be empty",
    "minimum": lambda error: f"must be at least {error.validator_value}",
    "maximum": lambda error: f"must be at most {error.validator_value}",
    "exclusiveMinimum": lambda error: f"must be more than {error.validator_value}",
}
