"""URI templates of resources: RFC 6570 level 1 (`{id}`), and `{+path}` of level 2.

A template is read once, expanded with values, and matched against the URI that a client asks for.
Both directions take time in proportion to the text.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

MAX_URI = 8_192
"""In characters. What is longer names nothing."""
MAX_VARIABLES = 16

_EXPRESSION = re.compile(r"\{(\+?)([A-Za-z0-9_]{1,64})\}")
# RFC 3986 section 3.1: a scheme is what makes a text a URI.
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"\\^`\x00-\x1f\x7f]+")
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
# RFC 3986 section 2.2, and the mark of a code: what `{+x}` leaves as it is.
_RESERVED = ":/?#[]@!$&'()*+,;=%"
_NOT_IN_A_SEGMENT = frozenset("/?#")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """`{name}`, one path segment at most; or `{+name}`, which may hold `/`, too."""

    name: str
    reserved: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UriTemplate:
    """`literals` stand around and between the `variables`: there is one more of them."""

    text: str
    literals: tuple[str, ...]
    variables: tuple[Variable, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(variable.name for variable in self.variables)

    def expand(self, values: Mapping[str, str]) -> str:
        """The URI with these values; what has none is left out (RFC 6570 section 3.2.1)."""
        parts = [self.literals[0]]
        for variable, literal in zip(self.variables, self.literals[1:], strict=True):
            safe = _RESERVED if variable.reserved else ""
            parts += [quote(values.get(variable.name, ""), safe=safe), literal]
        return "".join(parts)

    def match(self, uri: str) -> Mapping[str, str] | None:
        """The values that make this URI, percent-decoded; None for one that is none of ours.

        A variable has at least one character. Where several readings fit, the first are short.
        """
        raw = self._raw_values(uri) if len(uri) <= MAX_URI else None
        if raw is None:
            return None
        found: dict[str, str] = {}
        for variable, text in zip(self.variables, raw, strict=True):
            value = _decoded(text, variable)
            if value is None:
                return None
            found[variable.name] = value
        return found

    def _raw_values(self, uri: str) -> list[str] | None:
        """What stands between the literals, each at its leftmost place: no backtracking."""
        first, *middle, last = self.literals
        if not uri.startswith(first) or not uri.endswith(last):
            return None
        found: list[str] = []
        start, end = len(first), len(uri) - len(last)
        for literal in middle:
            at = uri.find(literal, start + 1, end)
            if at < 0:
                return None
            found.append(uri[start:at])
            start = at + len(literal)
        return [*found, uri[start:end]] if start < end else None


def read_template(text: str) -> UriTemplate:
    """Raises ValueError, which says what is wrong with it."""
    literals, variables = list(_literals(text)), list(_variables(text))
    names = [variable.name for variable in variables]
    if "{" in "".join(literals) or "}" in "".join(literals):
        raise ValueError("only {name} and {+name} are understood between braces")
    if not names:
        raise ValueError("has no {variable}; give it as uri")
    if len(names) > MAX_VARIABLES:
        raise ValueError(f"has more than {MAX_VARIABLES} variables")
    if len(set(names)) < len(names):
        raise ValueError("has a variable twice")
    if "" in literals[1:-1]:
        raise ValueError("has two variables with nothing between them")
    if fault := uri_fault(_EXPRESSION.sub("x", text)):
        raise ValueError(fault)
    if not _URI.match(f"{literals[0]}x"):
        raise ValueError("must start with a scheme and a colon")
    return UriTemplate(text=text, literals=tuple(literals), variables=tuple(variables))


def uri_fault(uri: str) -> str | None:
    """Why a text cannot be the URI of a resource; None if it can."""
    if len(uri) > MAX_URI:
        return f"is longer than {MAX_URI} characters"
    if not _URI.fullmatch(uri):
        return "must be an absolute URI: a scheme, a colon, and no spaces"
    return "has a % without two hex digits" if _PERCENT.search(uri) else None


def _literals(text: str) -> Iterator[str]:
    yield from _EXPRESSION.split(text)[::3]


def _variables(text: str) -> Iterator[Variable]:
    for match in _EXPRESSION.finditer(text):
        yield Variable(name=match[2], reserved=bool(match[1]))


def _decoded(text: str, variable: Variable) -> str | None:
    if not variable.reserved and not _NOT_IN_A_SEGMENT.isdisjoint(text):
        return None
    if _PERCENT.search(text):
        return None
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeError:  # codes of no UTF-8, or half a surrogate pair
        return None
