"""The texts of a request's head: path segments, query pairs, cookies. Nothing is decoded yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote, unquote_plus

from gateway.messages import Headers, header_values
from gateway.openapi import PLACEHOLDER

Pair = tuple[str, str]
Texts = Mapping[str, Sequence[str]]

Segment = tuple[tuple[str, ...], tuple[str, ...]] | None
"""Names of a template's segment and the literals around them; None where it has no names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Pairs in order, their names decoded and their values as they came; and values by name.

    `by_stem` are the pairs of names like `a[b]`, by what is before the bracket.
    """

    raw: str = ""
    pairs: Sequence[Pair] = ()
    by_name: Texts = field(default_factory=dict)
    by_stem: Mapping[str, Sequence[Pair]] = field(default_factory=dict)


def read_query(raw: str) -> Query:
    """The pairs of a query without its `?`; a name without `=` has the empty value."""
    if not raw:
        return _NO_QUERY
    pairs: list[Pair] = []
    by_name: dict[str, list[str]] = {}
    by_stem: dict[str, list[Pair]] = {}
    for piece in raw.split("&"):
        name, _, value = piece.partition("=")
        if not piece:
            continue
        decoded = unquote_plus(name)
        pairs.append((decoded, value))
        by_name.setdefault(decoded, []).append(value)
        stem, bracket, _ = decoded.partition("[")
        if bracket:
            by_stem.setdefault(stem, []).append((decoded, value))
    return Query(raw=raw, pairs=pairs, by_name=by_name, by_stem=by_stem)


def read_cookies(headers: Headers) -> Query:
    """The pairs of all Cookie fields (RFC 6265 section 5.4), names and values as they came."""
    pairs: list[Pair] = []
    by_name: dict[str, list[str]] = {}
    for field_value in header_values(headers, "cookie"):
        for piece in field_value.split(";"):
            name, mark, value = piece.strip().partition("=")
            if mark:
                pairs.append((name, value))
                by_name.setdefault(name, []).append(value)
    return Query(pairs=pairs, by_name=by_name)


def split_template(path: str) -> tuple[Segment, ...]:
    """The segments of a path template, for `path_texts`."""
    found: list[Segment] = []
    for segment in path.split("/")[1:]:
        pieces = PLACEHOLDER.split(segment)
        found.append((tuple(pieces[1::2]), tuple(pieces[::2])) if len(pieces) > 1 else None)
    return tuple(found)


def path_texts(template: Sequence[Segment], path: str) -> Mapping[str, str]:
    """The text of each name, still encoded; empty for a path that is not of this template."""
    segments = path.split("/")[1:]
    if len(segments) != len(template):
        return {}
    found: dict[str, str] = {}
    for wanted, segment in zip(template, segments, strict=True):
        if wanted is None:
            continue
        names, literals = wanted
        texts = _between(literals, segment) or _between(
            tuple(unquote(literal) for literal in literals), unquote(segment)
        )
        if texts is not None:
            found.update(zip(names, texts, strict=True))
    return found


def _between(literals: tuple[str, ...], segment: str) -> list[str] | None:
    """What is in each gap, by the rule of `catalog.routing`: the leftmost place for each."""
    first, *middle, last = literals
    if not segment.startswith(first):
        return None
    found: list[str] = []
    at = len(first)
    for text in middle:
        end = segment.find(text, at + 1)
        if end < 0:
            return None
        found.append(segment[at:end])
        at = end + len(text)
    end = len(segment) - len(last)
    if not segment.endswith(last) or at >= end:
        return None
    return [*found, segment[at:end]]


_NO_QUERY = Query()
