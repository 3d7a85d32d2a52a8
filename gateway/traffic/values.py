"""Texts of parameters as values: the inverse of `gateway.calls.styles`.

Where a text can be read in two ways the reading that our own writer means comes first; `loose`
gives the other one. A delimiter that a client has percent-encoded is one of them.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from urllib.parse import unquote, unquote_plus

from gateway.calls import FORM_TYPE, cookie_name, loads
from gateway.openapi import WHOLE_QUERY, Parameter, essence_of, is_json
from gateway.traffic.deep_objects import deep_value
from gateway.traffic.shapes import Shape, typed
from gateway.traffic.texts import Query, read_query
from gateway.traffic.unreadable import Unreadable

Decode = Callable[[str], str]

# What delimits in a style, as it may be written: encoded, and as it is.
_QUERY_DELIMITERS: Mapping[str, tuple[str, ...]] = {
    "spaceDelimited": ("%20", "+"),
    "pipeDelimited": ("%7C", "%7c", "|"),
    "tabDelimited": ("%09",),
}
_PLAIN_DELIMITERS: Mapping[str, tuple[str, ...]] = {
    "spaceDelimited": (" ",),
    "pipeDelimited": ("|",),
    "tabDelimited": ("\t",),
}
_COMMA = (",",)
_ENCODED_COMMA = (",", "%2C", "%2c")


class Missing:
    """There is no such parameter in the request."""


MISSING = Missing()


def path_value(parameter: Parameter, shape: Shape, text: str, *, loose: bool = False) -> object:
    """The value of what stands in the path."""
    if parameter.media_type is not None:
        return content_value(parameter.media_type, unquote(text))
    reading = _Reading(shape, unquote, loose=loose, delimiters=_QUERY_DELIMITERS)
    name = parameter.name
    if parameter.style == "matrix":
        return reading.matrix(name, text.removeprefix(";"), explode=parameter.explode)
    delimiters = _delimiters(parameter.style, _QUERY_DELIMITERS, loose=loose)
    if parameter.style == "label":
        text = text.removeprefix(".")
        delimiters = (".",) if parameter.explode else delimiters
    return reading.joined(text, delimiters, parameter)


def query_value(
    parameter: Parameter,
    shape: Shape,
    query: Query,
    claimed: Collection[str],
    *,
    loose: bool = False,
) -> object:
    """The value of a query parameter. `claimed` are the names of all of them."""
    if parameter.style == WHOLE_QUERY:
        return _whole_query(parameter, query)
    if parameter.style == "deepObject" and not shape.is_scalar:
        found = deep_value(parameter.name, shape, query, loose=loose)
        return MISSING if found is None else found
    return _from_pairs(
        parameter,
        shape,
        query,
        _Reading(shape, unquote_plus, loose=loose, delimiters=_QUERY_DELIMITERS),
        claimed,
    )


def cookie_value(
    parameter: Parameter,
    shape: Shape,
    cookies: Query,
    claimed: Collection[str],
    *,
    loose: bool = False,
) -> object:
    """The value of a cookie parameter; OpenAPI 3.2's style `cookie` decodes nothing."""
    decode = str if parameter.style == "cookie" else unquote
    reading = _Reading(shape, decode, loose=loose, delimiters=_QUERY_DELIMITERS)
    return _from_pairs(parameter, shape, cookies, reading, claimed, name=cookie_name(parameter))


def header_value(
    parameter: Parameter, shape: Shape, texts: Sequence[str], *, loose: bool = False
) -> object:
    """The value of a header: of several fields of one name, their list (RFC 9110 section 5.3)."""
    if not texts:
        return MISSING
    text = ", ".join(texts).strip()
    if parameter.media_type is not None:
        return content_value(parameter.media_type, text)
    reading = _Reading(shape, str.strip, loose=loose, delimiters=_PLAIN_DELIMITERS)
    delimiters = _delimiters(parameter.style, _PLAIN_DELIMITERS, loose=False)
    return reading.joined(text, delimiters, parameter)


def form_value(name: str, shape: Shape, query: Query, *, loose: bool = False) -> object:
    """A form's member without a style: lists repeat it, objects are JSON (OpenAPI 3.1, 4.8.15)."""
    texts = query.by_name.get(name, ())
    if not texts and loose and shape.admits("array"):
        texts = query.by_name.get(f"{name}[]", ())
    if not texts:
        return MISSING
    reading = _Reading(shape, unquote_plus, loose=loose, delimiters=_QUERY_DELIMITERS)
    return reading.repeated(texts, ())


def content_value(media_type: str, text: str) -> object:
    """The value of a `content` parameter. Raises Unreadable."""
    if is_json(media_type):
        loaded = loads(text)
        if loaded is None:
            raise Unreadable("is no JSON")
        return loaded.value
    if essence_of(media_type) == FORM_TYPE:
        query = read_query(text)
        return {name: unquote_plus(texts[-1]) for name, texts in query.by_name.items()}
    return text


def _whole_query(parameter: Parameter, query: Query) -> object:
    if not query.raw:
        return MISSING
    media_type = parameter.media_type or ""
    is_form = essence_of(media_type) == FORM_TYPE
    return content_value(media_type, query.raw if is_form else unquote(query.raw))


def _from_pairs(
    parameter: Parameter,
    shape: Shape,
    query: Query,
    reading: "_Reading",
    claimed: Collection[str],
    *,
    name: str | None = None,
) -> object:
    texts = query.by_name.get(name or parameter.name, ())
    if parameter.media_type is not None:
        return content_value(parameter.media_type, reading.decode(texts[-1])) if texts else MISSING
    if parameter.explode and not texts and shape.admits("object"):
        return reading.members(query, claimed)
    if not texts and reading.loose and shape.admits("array"):
        texts = query.by_name.get(f"{parameter.name}[]", ())  # as PHP and its clients write lists
    if not texts:
        return MISSING
    if parameter.allow_empty and list(texts) == [""]:
        return ""
    return reading.several(texts, parameter)


def _delimiters(
    style: str, known: Mapping[str, tuple[str, ...]], *, loose: bool
) -> tuple[str, ...]:
    return known.get(style, _ENCODED_COMMA if loose else _COMMA)


class _Reading:
    """One way of reading the texts of one parameter."""

    def __init__(
        self,
        shape: Shape,
        decode: Decode,
        *,
        loose: bool,
        delimiters: Mapping[str, tuple[str, ...]],
    ) -> None:
        self.shape = shape
        self.decode = decode
        self.loose = loose
        self._delimiters = delimiters

    def joined(self, text: str, delimiters: tuple[str, ...], parameter: Parameter) -> object:
        """A list, an object or a single value in one text."""
        if self._is_list(text, delimiters):
            return self._items(self._split(text, delimiters), self.shape, parameter.nested)
        if self._is_object(text, delimiters, explode=parameter.explode):
            return self._object(text, delimiters, explode=parameter.explode)
        return self._single(text, self.shape)

    def several(self, texts: Sequence[str], parameter: Parameter) -> object:
        """The value of all that is given under one name."""
        shape = self.shape
        if parameter.explode:
            return self.repeated(texts, parameter.nested)
        delimiters = _delimiters(parameter.style, self._delimiters, loose=self.loose)
        if len(texts) == 1:
            return self.joined(texts[0], delimiters, parameter)
        if not shape.admits("array"):
            return [self._single(text, shape) for text in texts]
        pieces = [piece for text in texts for piece in self._split(text, delimiters)]
        return self._items(pieces, shape, parameter.nested)

    def repeated(self, texts: Sequence[str], nested: tuple[str, ...]) -> object:
        """A list whose items each have the name; or the single value of it."""
        shape = self.shape
        if shape.admits("array") and (len(texts) > 1 or self._prefers("array")):
            empty = self.loose and list(texts) == [""]
            return [] if empty else self._items(texts, shape, nested)
        # Of one value there is one: what is a list refutes it.
        values = [self._single(text, shape) for text in texts]
        return values[0] if len(values) == 1 else values

    def members(self, query: Query, claimed: Collection[str]) -> object:
        """An exploded object: its members are pairs among those of other parameters."""
        shape, texts = self.shape, query.by_name
        found = {name: texts[name] for name in shape.members if name in texts}
        if shape.others is not None:
            found |= {name: t for name, t in texts.items() if name not in claimed}
        made = {name: self._member(texts, shape.member(name)) for name, texts in found.items()}
        return made or MISSING

    def matrix(self, name: str, text: str, *, explode: bool) -> object:
        """`;name=value`, without its first semicolon."""
        pieces = [piece.partition("=") for piece in text.split(";")]
        if not explode:
            inner = text.partition("=")[2]
            if self._is_list(inner, _COMMA):
                return self._items(self._split(inner, _COMMA), self.shape, ())
            if self._is_object(inner, _COMMA, explode=False):
                return self._object(inner, _COMMA, explode=False)
            return self._single(inner, self.shape)
        if self.shape.admits("object") and any(self.decode(key) != name for key, _, _ in pieces):
            return {
                self.decode(key): self._single(value, self.shape.member(self.decode(key)))
                for key, _, value in pieces
            }
        texts = [value for _, _, value in pieces]
        if self.shape.admits("array") and (len(texts) > 1 or self._prefers("array")):
            return self._items(texts, self.shape, ())
        return self._single(texts[0], self.shape)

    def _prefers(self, kind: str) -> bool:
        """Whether what may be a single value, too, is of this kind."""
        return self.loose or self.shape.kinds <= {kind, "null"} or not self.shape.admits("string")

    def _is_list(self, text: str, delimiters: tuple[str, ...]) -> bool:
        if not self.shape.admits("array"):
            return False
        return self._prefers("array") or any(d in text for d in delimiters)

    def _is_object(self, text: str, delimiters: tuple[str, ...], *, explode: bool) -> bool:
        if not self.shape.admits("object"):
            return False
        marks = ("=",) if explode else delimiters
        return self._prefers("object") or any(mark in text for mark in marks)

    def _split(self, text: str, delimiters: tuple[str, ...]) -> list[str]:
        first, *others = delimiters
        for other in others:
            text = text.replace(other, first)
        return [] if self.loose and not text else text.split(first)

    def _items(self, texts: Sequence[str], shape: Shape, nested: tuple[str, ...]) -> list[object]:
        inner = shape.item()
        if not nested:
            return [self._single(text, inner) for text in texts]
        delimiters = self._delimiters.get(nested[0], _COMMA)
        return [self._items(self._split(text, delimiters), inner, nested[1:]) for text in texts]

    def _object(self, text: str, delimiters: tuple[str, ...], *, explode: bool) -> object:
        pieces = self._split(text, delimiters)
        if explode:
            parted = [piece.partition("=") for piece in pieces]
            if not all(mark for _, mark, _ in parted):
                return self._single(text, self.shape)
            pairs = [(self.decode(key), value) for key, _, value in parted]
        elif len(pieces) % 2:
            return self._single(text, self.shape)
        else:
            keys = map(self.decode, pieces[::2])
            pairs = list(zip(keys, pieces[1::2], strict=True))
        return {key: self._single(value, self.shape.member(key)) for key, value in pairs}

    def _member(self, texts: Sequence[str], shape: Shape) -> object:
        if len(texts) == 1:
            return self._single(texts[0], shape)
        return [self._single(text, shape.item()) for text in texts]

    def _single(self, text: str, shape: Shape) -> object:
        return typed(self.decode(text), shape, loose=self.loose)
