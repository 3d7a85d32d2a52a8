"""JSONPath (RFC 9535) with bounded work: what an overlay's targets are written in.

python-jsonpath in its strict mode: no dependencies, Python 3.11 supported by its current major
(jsonpath-rfc9535 2.x, by the same author, asks for 3.12), matches made one by one, and a recursion
limit of its own.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

import jsonpath
import jsonschema_rs
from jsonpath.function_extensions import ExpressionType, FilterFunction

MAX_EXPRESSION = 2_000

Location = tuple[str | int, ...]


class PathError(ValueError):
    """An expression that cannot be used. `str()` is one line without position marks."""


class _Regex(FilterFunction):
    """`match` and `search` (RFC 9535 section 2.4.6), in linear time whatever the pattern.

    The library's own use Python's engine, which backtracks without bound. I-Regexp (RFC 9485) is a
    subset of what the compiled engine reads; another pattern matches nothing, as the RFC says.
    """

    arg_types = [ExpressionType.VALUE, ExpressionType.VALUE]  # noqa: RUF012  the library's shape
    return_type = ExpressionType.LOGICAL

    def __init__(self, frame: str) -> None:
        self._frame = frame

    def __call__(self, value: object, pattern: object) -> bool:
        if not isinstance(value, str) or not isinstance(pattern, str):
            return False
        try:
            return _compiled(self._frame.format(pattern)).is_valid(value)
        except ValueError:  # no pattern of this engine, or text that is no Unicode
            return False


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(
        {"pattern": pattern}, pattern_options=jsonschema_rs.RegexOptions(), offline=True
    )


def _environment() -> jsonpath.JSONPathEnvironment:
    environment = jsonpath.JSONPathEnvironment(strict=True)
    environment.function_extensions["match"] = _Regex("^(?:{})$")
    environment.function_extensions["search"] = _Regex("{}")
    return environment


_ENVIRONMENT = _environment()


def find(root: object, expression: str, *, at_most: int) -> list[Location]:
    """The places in `root` that `expression` matches, as keys and indexes, each once.

    Raises PathError for what is no expression of RFC 9535 or matches more than `at_most` places.
    """
    if len(expression) > MAX_EXPRESSION:
        raise PathError(f"longer than {MAX_EXPRESSION:,} characters")
    try:
        matches: Iterator[Location] = (tuple(m.parts) for m in _matches(expression, root))
        found = list(dict.fromkeys(islice(matches, at_most + 1)))
    except (jsonpath.JSONPathError, RecursionError, ValueError) as error:
        # Not the error's own text, which it cannot make where the expression ends too soon.
        reason = str(error.args[0] if error.args else "").partition("\n")[0]
        raise PathError(reason or "nested too deeply") from error
    if len(found) > at_most:
        raise PathError(f"matches more than {at_most:,} places")
    return found


def _matches(expression: str, root: object) -> Iterator[jsonpath.JSONPathMatch]:
    # A document is always an object or a list here: text would be parsed as JSON by the library.
    yield from _ENVIRONMENT.compile(expression).finditer(root)  # type: ignore[arg-type]
