"""`select`: a JMESPath expression that shapes a tool's JSON results."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import jmespath
import orjson
from jmespath.exceptions import (
    EmptyExpressionError,
    IncompleteExpressionError,
    JMESPathError,
    JMESPathTypeError,
    LexerError,
    ParseError,
)
from jmespath.functions import TYPES_MAP, Functions
from jmespath.parser import ParsedResult

from gateway.calls.decoding import charset_of, decode_text, loads

MAX_EXPRESSION = 4_096
_SHOWN = 64
_CALL = "function_expression"

Ast = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """What an expression made of a result: UTF-8 JSON."""

    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSelected:
    """Why an expression could not be applied, fit for a model."""

    reason: str


def check_select(expression: str) -> str | None:
    """What is wrong with an expression, before it has seen any result; None if nothing is.

    Unknown functions and wrong numbers of arguments, which the library finds only where the data
    leads to them, are found here.
    """
    if len(expression) > MAX_EXPRESSION:
        return f"is longer than {MAX_EXPRESSION:,} characters"
    try:
        return _fault_of(_compiled(expression).parsed)
    except (JMESPathError, RecursionError) as error:
        return f"is no JMESPath: {_explain(error)}"


def select_json(expression: str, body: bytes, content_type: str | None) -> Selected | NotSelected:
    """What a checked expression makes of a JSON body; the body is the whole, decompressed one."""
    loaded = loads(decode_text(body, charset_of(body, content_type, is_json=True)))
    if loaded is None:
        return NotSelected(reason="the answer is no usable JSON")
    try:
        data = _write(_compiled(expression).search(loaded.value))
    # Beside its own errors (ValueErrors) the library lets Python's arithmetic ones through; a
    # TypeError or RecursionError comes from what cannot be compared, or written as JSON.
    except (ValueError, TypeError, ArithmeticError, RecursionError) as error:
        return NotSelected(reason=_explain(error))
    return Selected(data=data)


@lru_cache(maxsize=1024)
def _compiled(expression: str) -> ParsedResult:
    return jmespath.compile(expression)


def _fault_of(node: Ast) -> str | None:
    nodes = _nodes(node)
    values = [node, *(c for n in nodes if n["type"] != _CALL for c in _children(n))]
    if any(value["type"] == "expref" for value in values):
        return "has a reference to an expression (&) where a value is meant"
    for each in (n for n in nodes if n["type"] == _CALL):
        name, given = str(each["value"]), len(_children(each))
        function = Functions.FUNCTION_TABLE.get(name)
        if function is None:
            return f"calls {name[:_SHOWN]}(), which JMESPath does not have"
        wanted = function["signature"]
        is_variadic = bool(wanted) and wanted[-1].get("variadic", False)
        if given < len(wanted) or (given > len(wanted) and not is_variadic):
            least = "at least " if is_variadic else ""
            return f"gives {name}() {given} arguments, not {least}{len(wanted)}"
    return None


def _nodes(root: Ast) -> list[Ast]:
    nodes = [root]
    for node in nodes:
        nodes += _children(node)
    return nodes


def _children(node: Ast) -> list[Ast]:
    """A slice's are numbers, or none."""
    children = node["children"]
    return [c for c in children if isinstance(c, dict)] if isinstance(children, list) else []


def _write(value: object) -> bytes:
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:  # integers over 64 bits
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode()


def _explain(error: Exception) -> str:
    """The library's own words repeat values of the result, which may be of any size."""
    match error:
        case JMESPathTypeError():
            given = TYPES_MAP.get(error.actual_type, error.actual_type)
            return f"{error.function_name}() cannot take {given}"
        case LexerError():
            return f"at character {error.lexer_position + 1}"
        case IncompleteExpressionError() | EmptyExpressionError():
            return "it ends too early"
        case ParseError():
            return f"at character {error.lex_position + 1}"
        case RecursionError():
            return "it is nested too deeply"
        case _:
            return "its value cannot be computed or written as JSON"
