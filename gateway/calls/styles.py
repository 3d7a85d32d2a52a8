"""Parameter values as text: the styles of OpenAPI 3.1 section 4.8.12.3, after RFC 6570.

Values are percent-encoded, the delimiters of a style are not. What OpenAPI leaves open is settled
in docs/serialisation.md: an array or object inside a delimited value is written as JSON.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from urllib.parse import quote, unquote

from gateway.openapi import Parameter

Pairs = list[tuple[str, str]]
# The last is Swagger 2.0's `tsv`, which knows all three in paths and headers as well.
_DELIMITERS = {"spaceDelimited": "%20", "pipeDelimited": "%7C", "tabDelimited": "%09"}
_PLAIN_DELIMITERS = {style: unquote(text) for style, text in _DELIMITERS.items()}
# A token (RFC 9110 section 5.6.2) and the brackets that PHP reads.
_COOKIE_NAME = "!#$%&'*+^`|[]"

Container = Mapping[str, object] | list[object] | tuple[object, ...]
Encode = Callable[[object], str]

_EXACT = 2**53  # beyond it a double is not one integer


def is_undefined(value: object) -> bool:
    """RFC 6570 section 2.3: null, and a list or object with nothing (but nulls) in it."""
    return value is None or (
        isinstance(value, Mapping | list | tuple) and not _defined_members(value)
    )


def _defined_members(value: Container) -> Container:
    """RFC 6570 section 3.2.1: undefined members are left out."""
    if isinstance(value, Mapping):
        return {key: member for key, member in value.items() if member is not None}
    return [member for member in value if member is not None]


def _defined(value: object) -> object:
    return _defined_members(value) if isinstance(value, Mapping | list | tuple) else value


def text_of(value: object) -> str:
    """A primitive as text: strings as they are, the rest as JSON writes it.

    JSON knows no difference between 1 and 1.0, a server that reads an integer from a URL does.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT:
        value = int(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def encode(value: object) -> str:
    """Everything but the unreserved characters percent-encoded (RFC 3986 section 2.3)."""
    return quote(text_of(value), safe="-._~")


def encode_reserved(value: object) -> str:
    """`allowReserved`: reserved characters and percent-triplets stay as they are.

    All but `[`, `]` and `#`, which no query may hold (RFC 3986 section 3.4), and `&`, `=` and `+`,
    which would start another value or mean a space (OpenAPI 3.1.1 appendix C).
    """
    encoded = quote(text_of(value), safe="-._~:/?@!$'()*,;%")
    return _stray_percent(encoded)


def path_text(parameter: Parameter, value: object) -> str:
    """What stands in the path for a `simple`, `label` or `matrix` parameter."""
    if is_undefined(value):
        return ""
    value = _defined(value)
    encoder = _nesting(parameter, encode, _DELIMITERS)
    if parameter.style == "matrix":
        return _matrix(encode(parameter.name), value, explode=parameter.explode)
    if parameter.style == "label":
        return "." + _joined(value, parameter.explode, "." if parameter.explode else ",", encode)
    return _joined(value, parameter.explode, _DELIMITERS.get(parameter.style, ","), encoder)


def header_text(parameter: Parameter, value: object) -> str:
    """The value of a header parameter; nothing is encoded."""
    delimiter = _PLAIN_DELIMITERS.get(parameter.style, ",")
    encoder = _nesting(parameter, text_of, _PLAIN_DELIMITERS)
    return _joined(_defined(value), parameter.explode, delimiter, encoder)


def cookie_name(parameter: Parameter) -> str:
    """The parameter's name as far as a cookie's can have it (RFC 6265 section 4.1.1: a token)."""
    return quote(parameter.name, safe=_COOKIE_NAME)


def cookie_pairs(parameter: Parameter, value: object) -> Pairs:
    """Name and value of the cookies that a cookie parameter sets.

    OpenAPI 3.2's style `cookie` encodes nothing: what no cookie can hold is refused by the caller.
    """
    encoder = text_of if parameter.style == "cookie" else encode
    name = cookie_name(parameter)
    return list(_form(name, _defined(value), explode=parameter.explode, encoder=encoder))


def query_pairs(parameter: Parameter, value: object) -> Pairs:
    """The encoded `name=value` pairs of a query parameter, in order."""
    plain = encode_reserved if parameter.allow_reserved else encode
    encoder = _nesting(parameter, plain, _DELIMITERS)
    value = _defined(value)
    name = encode(parameter.name)
    if parameter.style == "deepObject" and isinstance(value, Mapping | list | tuple):
        return list(_deep(name, value, encoder))
    delimiter = _DELIMITERS.get(parameter.style)
    if delimiter and not parameter.explode and isinstance(value, Mapping | list | tuple):
        return [(name, delimiter.join(_flat(value, encoder)))] if value else []
    return list(_form(name, value, explode=parameter.explode, encoder=encoder))


def _nesting(parameter: Parameter, encoder: Encode, delimiters: Mapping[str, str]) -> Encode:
    """`encoder`, for what may be an array of a style of its own."""
    for style in reversed(parameter.nested):
        encoder = partial(_in_style, delimiters.get(style, ","), encoder)
    return encoder


def _in_style(delimiter: str, encoder: Encode, value: object) -> str:
    if isinstance(value, list | tuple):
        return delimiter.join(encoder(v) for v in value if v is not None)
    return encoder(value)


def _joined(value: object, explode: bool, delimiter: str, encoder: Encode) -> str:  # noqa: FBT001
    if isinstance(value, Mapping):
        if explode:
            return delimiter.join(f"{encoder(k)}={encoder(v)}" for k, v in value.items())
        return delimiter.join(_flat(value, encoder))
    if isinstance(value, list | tuple):
        return delimiter.join(encoder(v) for v in value)
    return encoder(value)


def _matrix(name: str, value: object, *, explode: bool) -> str:
    if isinstance(value, Mapping) and explode:
        pairs = [(encode(k), encode(v)) for k, v in value.items()]
    elif isinstance(value, list | tuple) and explode:
        pairs = [(name, encode(v)) for v in value]
    else:
        pairs = [(name, _joined(value, False, ",", encode))]  # noqa: FBT003
    # RFC 6570 section 3.2.7: what is empty has no `=` either.
    return "".join(f";{key}={text}" if text else f";{key}" for key, text in pairs)


def _form(name: str, value: object, *, explode: bool, encoder: Encode) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping | list | tuple):
        if not value:  # RFC 6570 section 2.3: an empty list or object is undefined
            return
        if not explode:
            yield name, ",".join(_flat(value, encoder))
        elif isinstance(value, Mapping):
            # The name of a member is never more than a name, whatever a value may hold.
            yield from ((encode(k), encoder(v)) for k, v in value.items())
        else:
            yield from ((name, encoder(v)) for v in value)
    elif value is not None:
        yield name, encoder(value)


def _flat(value: Container, encoder: Encode) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, member in value.items():
            yield encoder(key)
            yield encoder(member)
    else:
        yield from (encoder(member) for member in value)


def _deep(name: str, value: object, encoder: Encode) -> Iterator[tuple[str, str]]:
    """`a[b][c]=v`; the members of an array go by their index."""
    if isinstance(value, Mapping):
        for key, member in value.items():
            yield from _deep(f"{name}%5B{encode(key)}%5D", member, encoder)
    elif isinstance(value, list | tuple):
        for index, member in enumerate(value):
            yield from _deep(f"{name}%5B{index}%5D", member, encoder)
    elif value is not None:
        yield name, encoder(value)


def _stray_percent(text: str) -> str:
    """`%` as `%25` where no two hex digits follow it."""
    parts = text.split("%")
    kept = [parts[0]]
    for part in parts[1:]:
        is_triplet = len(part) >= 2 and all(c in "0123456789abcdefABCDEF" for c in part[:2])
        kept.append(f"%{part}" if is_triplet else f"%25{part}")
    return "".join(kept)
