"""Charsets of bodies."""

import codecs
import json
import pkgutil
from encodings import __path__ as codec_modules

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.decoding import charset_of, decode_beginning, decode_text, loads

JSON = {"a": "é", "b": [1]}
NAMES = sorted(module.name for module in pkgutil.iter_modules(codec_modules))


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"]
)
def test_json_shows_by_its_zero_bytes_what_it_is_in(encoding: str) -> None:
    body = '{"a":"é","b":[1]}'.encode(encoding)
    loaded = loads(decode_text(body, charset_of(body, "application/json", is_json=True)))
    assert loaded is not None
    assert loaded.value == JSON


def test_a_declared_charset_holds_for_json_too() -> None:
    body = '{"a":"é"}'.encode("latin-1")
    declared = "application/json; charset=ISO-8859-1"
    assert decode_text(body, charset_of(body, declared, is_json=True)) == '{"a":"é"}'


@pytest.mark.parametrize("name", NAMES)
def test_whatever_codec_a_head_names_the_body_becomes_text(name: str) -> None:
    body = bytes(range(256)) * 8 + b"+A-~{\x1b$B\\x"
    charset = charset_of(body, f"text/plain; charset={name}")
    assert isinstance(decode_text(body, charset), str)
    text, size = decode_beginning(body, charset)
    assert isinstance(text, str)
    assert len(body) - 8 <= size <= len(body)


@given(text=st.text(), cut=st.integers(0, 8), charset=st.sampled_from(["utf-8", "utf-16-le"]))
def test_a_beginning_and_what_follows_it_are_the_whole(text: str, cut: int, charset: str) -> None:
    body = text.encode(charset)
    shown, start = decode_beginning(body[: max(0, len(body) - cut)], charset)
    assert shown.encode(charset) in (body[:start], body[len("\ufeff".encode(charset)) : start])
    assert (shown + body[start:].decode(charset)).removeprefix("\ufeff") == text.removeprefix(
        "\ufeff"
    )


def test_the_names_that_are_refused_are_codecs() -> None:
    known = {codecs.lookup(name).name for name in ("punycode", "idna", "utf-7", "rot13", "hex")}
    usable = {charset_of(b"", f"x; charset={name}") for name in known}
    assert usable == {"utf-8"}


def test_json_may_be_as_wide_as_it_likes() -> None:
    loaded = loads(json.dumps([{"a": [number]} for number in range(300)]))
    assert loaded is not None
    assert loaded.value == [{"a": [number]} for number in range(300)]
