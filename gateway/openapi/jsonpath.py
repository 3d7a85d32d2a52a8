"""JSONPath (RFC 9535) with bounded work: what an overlay's targets are written in.

python-jsonpath in its strict mode: no dependencies, Python 3.11 supported by its current major
(jsonpath-rfc9535 2.x, by the same author, asks for 3.12), matches made one by one, and a recursion
limit of its own.
"""

from collections.abc import Iterator
from itertools import islice

import jsonpath

from gateway.openapi.path_steps import CountingEnvironment, Steps, TooManySteps

MAX_EXPRESSION = 2_000

Location = tuple[str | int, ...]


class PathError(ValueError):
    """An expression that cannot be used. `str()` is one line without position marks."""


class Paths:
    """Finds places, all together in a bounded number of steps."""

    def __init__(self, max_steps: int) -> None:
        self._max_steps = max_steps
        self._environment = CountingEnvironment(Steps(max_steps))

    def find(self, root: object, expression: str, *, at_most: int) -> list[Location]:
        """The places in `root` that `expression` matches, as keys and indexes, each once.

        Raises PathError for what is no expression of RFC 9535, matches more than `at_most` places,
        or needs more steps than are left.
        """
        if len(expression) > MAX_EXPRESSION:
            raise PathError(f"longer than {MAX_EXPRESSION:,} characters")
        try:
            matches: Iterator[Location] = (tuple(m.parts) for m in self._matches(expression, root))
            found = list(dict.fromkeys(islice(matches, at_most + 1)))
        except TooManySteps as error:
            reason = f"the expressions so far take more than {self._max_steps:,} steps"
            raise PathError(reason) from error
        except (jsonpath.JSONPathError, RecursionError, ValueError) as error:
            # Not the error's own text, which it cannot make where the expression ends too soon.
            reason = str(error.args[0] if error.args else "").partition("\n")[0]
            raise PathError(reason or "nested too deeply") from error
        if len(found) > at_most:
            raise PathError(f"matches more than {at_most:,} places")
        return found

    def _matches(self, expression: str, root: object) -> Iterator[jsonpath.JSONPathMatch]:
        # A document is always an object or a list here: text would be parsed as JSON.
        yield from self._environment.compile(expression).finditer(root)  # type: ignore[arg-type]
