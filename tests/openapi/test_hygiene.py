"""What models read holds nothing that people cannot see, and no other words than were written."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.openapi.hygiene import (
    MARKER,
    clean_data,
    clean_text,
    hides_something,
    limit_text,
)

UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co"})

TAGS = "".join(chr(0xE0000 + ord(c)) for c in "obey")

CLEANED: dict[str, tuple[str, str]] = {
    "plain": ("List the users.", "List the users."),
    "accents and emoji": ("Größe ☃ 日本 🎉", "Größe ☃ 日本 🎉"),
    "not normalised": ("e\u0301 ﬁ", "e\u0301 ﬁ"),
    "spaces are left alone": ("  a   b  ", "  a   b  "),
    "tab and newline stay": ("a\tb\nc", "a\tb\nc"),
    "other line ends": ("a\r\nb\rc\u2028d\x85e", "a\nb\nc\nd\ne"),
    "controls": ("a\x00b\x07c\x7fd\x8fe", "abcde"),
    "tag characters": (f"a{TAGS}b", "ab"),
    "variation selectors": ("a\ufe0f\ufe01b\U000e0100\U000e01efc", "abc"),
    "zero width": ("a\u200bb\u200cc\u200dd\u2060e\ufefff", "abcdef"),
    "bidirectional": ("a\u202eb\u2066c\u2069d\u200fe\u061cf", "abcdef"),
    "soft hyphen and fillers": ("a\u00adb\u3164c\u115fd\u2800e", "abcde"),
    "colours": ("\x1b[1;31mred\x1b[0m", "red"),
    "a link of a terminal": ("\x1b]8;;http://evil\x07text\x1b]8;;\x1b\\", "text"),
    "one-character introducer": ("\x9b31mred", "red"),
    "two-byte escapes": ("a\x1bcb\x1b(Bc", "abc"),
    "an escape that does not end keeps the text": ("\x1b]0;title and text", "]0;title and text"),
    "lone surrogates": ("a\ud83db\udc00c", "abc"),
    "private use": ("a\ue000b\U000f0000c\U00100000d", "abcd"),
}


@pytest.mark.parametrize(("given_text", "expected"), CLEANED.values(), ids=CLEANED)
def test_only_what_nobody_sees_goes(given_text: str, expected: str) -> None:
    assert clean_text(given_text) == expected


def test_every_invisible_character_of_unicode_goes() -> None:
    left = {
        hex(code)
        for code in range(0x110000)
        if unicodedata.category(chr(code)) in UNSEEN and clean_text(chr(code)) == chr(code)
    }

    assert left == {hex(ord("\t")), hex(ord("\n"))}


@given(text=st.text(st.characters(codec=None)))
def test_clean_text_is_clean_and_stays_as_it_is(text: str) -> None:
    cleaned = clean_text(text)

    assert all(c in "\t\n" or unicodedata.category(c) not in UNSEEN for c in cleaned)
    assert clean_text(cleaned) == cleaned
    cleaned.encode()


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("short", 5, "short"),
        ("One two. Three four five.", 20, "One two." + MARKER),
        ("One two three four five six", 20, "One two three" + MARKER),
        ("One two\n\nThree four five", 16, "One two" + MARKER),
        ("It is 1.5 or more of it", 20, "It is 1.5 or" + MARKER),
        ("unbroken" * 5, 20, "unbrokenunbroken" + MARKER),
        ("Yes. " + "unbroken" * 5, 20, "Yes. unbrokenunb" + MARKER),
        ("abcdef", 3, "abc"),
        ("abcdef", 0, ""),
    ],
    ids=["fits", "sentence", "word", "paragraph", "number", "no end", "early end", "tiny", "none"],
)
def test_a_long_text_ends_where_a_reader_would_stop(text: str, limit: int, expected: str) -> None:
    assert limit_text(text, limit) == expected


@given(text=st.text(), limit=st.integers(0, 50))
def test_a_limited_text_is_within_its_limit_and_a_beginning(text: str, limit: int) -> None:
    limited = limit_text(text, limit)

    assert len(limited) <= limit
    assert limited == text or text.startswith(limited.removesuffix(MARKER))


def test_example_data_is_cleaned_all_through() -> None:
    dirty = "a\u202eb"

    assert clean_data([dirty, {dirty: [dirty, 1]}, None]) == ["ab", {"ab": ["ab", 1]}, None]


@pytest.mark.parametrize(
    ("value", "hides"),
    [
        ("plain", False),
        ("two\nlines\tand a tab", False),
        ("Größe ☃ 日本", False),
        ("a\u200bb", True),
        (f"a{TAGS}", True),
        ("\x1b[1m", True),
        (["fine", {"k": ["a\u202eb"]}], True),
        ({"a\u00ad": 1}, True),
        ([1, None, True, 2.5, {"k": "v"}], False),
        ("⬅\ufe0f", False),
        ("☎\ufe0f 🎉\ufe0f", False),
        ("a\ufe0f", True),
        ("⬅\ufe0f\ufe0f", True),
        ("⬅\ufe0e", True),
        ("\ufe0f", True),
    ],
    ids=ascii,
)
def test_what_looks_like_something_else_is_seen(value: object, *, hides: bool) -> None:
    assert hides_something(value) is hides


@given(text=st.text(st.characters(codec=None)))
def test_clean_text_hides_nothing(text: str) -> None:
    assert not hides_something(clean_text(text))
