"""What OpenAPI and RFC 6570 say of each style: the expectations, none of them printed by the code.

The tests hold the code to these tables, and docs/serialisation.md publishes them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

REFUSED = "refused"
NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`rows` has, by place, style and explode, what is sent for each of `values`.

    `open` are the cells that OpenAPI calls n/a, by style, explode and position: what is sent there
    is this gateway's choice.
    """

    values: tuple[object, ...]
    rows: Mapping[tuple[str, str, bool], tuple[str, ...]]
    open: frozenset[tuple[str, bool, int]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A parameter called `color`, a value, and what is sent for it."""

    place: str
    style: str
    explode: bool
    value: object
    sent: str

    @property
    def id(self) -> str:
        exploded = " exploded" if self.explode else ""
        return f"{self.place} {self.style}{exploded} {self.value!r}"


# The values and the bytes of OpenAPI 3.1.1 section 4.8.12.6, "Style Examples".
OWN = Table(
    values=("", "blue", ["blue", "black", "brown"], {"R": 100, "G": 200, "B": 150}),
    rows={
        ("path", "simple", False): (REFUSED, "blue", "blue,black,brown", "R,100,G,200,B,150"),
        ("path", "simple", True): (REFUSED, "blue", "blue,black,brown", "R=100,G=200,B=150"),
        ("path", "label", False): (REFUSED, ".blue", ".blue,black,brown", ".R,100,G,200,B,150"),
        ("path", "label", True): (REFUSED, ".blue", ".blue.black.brown", ".R=100.G=200.B=150"),
        ("path", "matrix", False): (
            ";color",
            ";color=blue",
            ";color=blue,black,brown",
            ";color=R,100,G,200,B,150",
        ),
        ("path", "matrix", True): (
            ";color",
            ";color=blue",
            ";color=blue;color=black;color=brown",
            ";R=100;G=200;B=150",
        ),
        ("query", "form", False): (
            "?color=",
            "?color=blue",
            "?color=blue,black,brown",
            "?color=R,100,G,200,B,150",
        ),
        ("query", "form", True): (
            "?color=",
            "?color=blue",
            "?color=blue&color=black&color=brown",
            "?R=100&G=200&B=150",
        ),
        ("query", "spaceDelimited", False): (
            "?color=",
            "?color=blue",
            "?color=blue%20black%20brown",
            "?color=R%20100%20G%20200%20B%20150",
        ),
        ("query", "spaceDelimited", True): (
            "?color=",
            "?color=blue",
            "?color=blue&color=black&color=brown",
            "?R=100&G=200&B=150",
        ),
        ("query", "pipeDelimited", False): (
            "?color=",
            "?color=blue",
            "?color=blue%7Cblack%7Cbrown",
            "?color=R%7C100%7CG%7C200%7CB%7C150",
        ),
        ("query", "pipeDelimited", True): (
            "?color=",
            "?color=blue",
            "?color=blue&color=black&color=brown",
            "?R=100&G=200&B=150",
        ),
        ("query", "deepObject", False): (
            "?color=",
            "?color=blue",
            "?color%5B0%5D=blue&color%5B1%5D=black&color%5B2%5D=brown",
            "?color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150",
        ),
        ("query", "deepObject", True): (
            "?color=",
            "?color=blue",
            "?color%5B0%5D=blue&color%5B1%5D=black&color%5B2%5D=brown",
            "?color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150",
        ),
        ("header", "simple", False): (
            "color:",
            "color: blue",
            "color: blue,black,brown",
            "color: R,100,G,200,B,150",
        ),
        ("header", "simple", True): (
            "color:",
            "color: blue",
            "color: blue,black,brown",
            "color: R=100,G=200,B=150",
        ),
        ("cookie", "form", False): (
            "Cookie: color=",
            "Cookie: color=blue",
            "Cookie: color=blue,black,brown",
            "Cookie: color=R,100,G,200,B,150",
        ),
        ("cookie", "form", True): (
            "Cookie: color=",
            "Cookie: color=blue",
            "Cookie: color=blue; color=black; color=brown",
            "Cookie: R=100; G=200; B=150",
        ),
        ("cookie", "cookie", False): (
            "Cookie: color=",
            "Cookie: color=blue",
            "Cookie: color=blue,black,brown",
            "Cookie: color=R,100,G,200,B,150",
        ),
        ("cookie", "cookie", True): (
            "Cookie: color=",
            "Cookie: color=blue",
            "Cookie: color=blue; color=black; color=brown",
            "Cookie: R=100; G=200; B=150",
        ),
    },
    open=frozenset(
        {
            (style, explode, i)
            for style in ("spaceDelimited", "pipeDelimited")
            for explode, i in ((False, 0), (False, 1), (True, 0), (True, 1), (True, 2), (True, 3))
        }
        | {("deepObject", False, i) for i in range(4)}
        | {("deepObject", True, i) for i in range(3)}
    ),
)

_NONE = (NOTHING,) * 3
_NO_PATH = (REFUSED,) * 3

# RFC 6570 section 2.3: null is undefined, so is a list or an object with nothing in it, and
# undefined members are as if absent (3.2.1). A path segment cannot be absent.
EMPTY = Table(
    values=(None, [], {}, ["blue", None], [""], {"R": ""}),
    rows={
        ("path", "simple", False): (*_NO_PATH, "blue", REFUSED, "R,"),
        ("path", "simple", True): (*_NO_PATH, "blue", REFUSED, "R="),
        ("path", "label", False): (*_NO_PATH, ".blue", REFUSED, ".R,"),
        ("path", "label", True): (*_NO_PATH, ".blue", REFUSED, ".R="),
        ("path", "matrix", False): (*_NO_PATH, ";color=blue", ";color", ";color=R,"),
        ("path", "matrix", True): (*_NO_PATH, ";color=blue", ";color", ";R"),
        ("query", "form", False): (*_NONE, "?color=blue", "?color=", "?color=R,"),
        ("query", "form", True): (*_NONE, "?color=blue", "?color=", "?R="),
        ("query", "spaceDelimited", False): (*_NONE, "?color=blue", "?color=", "?color=R%20"),
        ("query", "spaceDelimited", True): (*_NONE, "?color=blue", "?color=", "?R="),
        ("query", "pipeDelimited", False): (*_NONE, "?color=blue", "?color=", "?color=R%7C"),
        ("query", "pipeDelimited", True): (*_NONE, "?color=blue", "?color=", "?R="),
        ("query", "deepObject", False): (
            *_NONE,
            "?color%5B0%5D=blue",
            "?color%5B0%5D=",
            "?color%5BR%5D=",
        ),
        ("query", "deepObject", True): (
            *_NONE,
            "?color%5B0%5D=blue",
            "?color%5B0%5D=",
            "?color%5BR%5D=",
        ),
        ("header", "simple", False): (*_NONE, "color: blue", "color:", "color: R,"),
        ("header", "simple", True): (*_NONE, "color: blue", "color:", "color: R="),
        ("cookie", "form", False): (
            *_NONE,
            "Cookie: color=blue",
            "Cookie: color=",
            "Cookie: color=R,",
        ),
        ("cookie", "form", True): (*_NONE, "Cookie: color=blue", "Cookie: color=", "Cookie: R="),
        ("cookie", "cookie", False): (
            *_NONE,
            "Cookie: color=blue",
            "Cookie: color=",
            "Cookie: color=R,",
        ),
        ("cookie", "cookie", True): (*_NONE, "Cookie: color=blue", "Cookie: color=", "Cookie: R="),
    },
)

# RFC 3986 section 2 for the characters; OpenAPI says nothing of values inside values, which are
# JSON here, and go by their keys and indexes where the style is deepObject.
_TEXT = "a/b c,d;e=f&g"
_SENT = "a%2Fb%20c%2Cd%3Be%3Df%26g"
_LIST = "%5B%22b%22%2C1%5D"
_OBJECT = "%7B%22x%22%3A1%7D"
_DEEP = (
    f"?color={_SENT}",
    "?color%5B0%5D=a&color%5B1%5D%5B0%5D=b&color%5B1%5D%5B1%5D=1",
    "?color%5BR%5D%5Bx%5D=1",
)
NESTED = Table(
    values=(_TEXT, ["a", ["b", 1]], {"R": {"x": 1}}),
    rows={
        ("path", "simple", False): (_SENT, f"a,{_LIST}", f"R,{_OBJECT}"),
        ("path", "simple", True): (_SENT, f"a,{_LIST}", f"R={_OBJECT}"),
        ("path", "label", False): (f".{_SENT}", f".a,{_LIST}", f".R,{_OBJECT}"),
        ("path", "label", True): (f".{_SENT}", f".a.{_LIST}", f".R={_OBJECT}"),
        ("path", "matrix", False): (
            f";color={_SENT}",
            f";color=a,{_LIST}",
            f";color=R,{_OBJECT}",
        ),
        ("path", "matrix", True): (
            f";color={_SENT}",
            f";color=a;color={_LIST}",
            f";R={_OBJECT}",
        ),
        ("query", "form", False): (
            f"?color={_SENT}",
            f"?color=a,{_LIST}",
            f"?color=R,{_OBJECT}",
        ),
        ("query", "form", True): (f"?color={_SENT}", f"?color=a&color={_LIST}", f"?R={_OBJECT}"),
        ("query", "spaceDelimited", False): (
            f"?color={_SENT}",
            f"?color=a%20{_LIST}",
            f"?color=R%20{_OBJECT}",
        ),
        ("query", "spaceDelimited", True): (
            f"?color={_SENT}",
            f"?color=a&color={_LIST}",
            f"?R={_OBJECT}",
        ),
        ("query", "pipeDelimited", False): (
            f"?color={_SENT}",
            f"?color=a%7C{_LIST}",
            f"?color=R%7C{_OBJECT}",
        ),
        ("query", "pipeDelimited", True): (
            f"?color={_SENT}",
            f"?color=a&color={_LIST}",
            f"?R={_OBJECT}",
        ),
        ("query", "deepObject", False): _DEEP,
        ("query", "deepObject", True): _DEEP,
        ("header", "simple", False): (
            f"color: {_TEXT}",
            'color: a,["b",1]',
            'color: R,{"x":1}',
        ),
        ("header", "simple", True): (f"color: {_TEXT}", 'color: a,["b",1]', 'color: R={"x":1}'),
        ("cookie", "form", False): (
            f"Cookie: color={_SENT}",
            f"Cookie: color=a,{_LIST}",
            f"Cookie: color=R,{_OBJECT}",
        ),
        ("cookie", "form", True): (
            f"Cookie: color={_SENT}",
            f"Cookie: color=a; color={_LIST}",
            f"Cookie: R={_OBJECT}",
        ),
        # RFC 6265 section 4.1.1: no space, quote or semicolon, and 3.2 escapes nothing.
        ("cookie", "cookie", False): (REFUSED, REFUSED, REFUSED),
        ("cookie", "cookie", True): (REFUSED, REFUSED, REFUSED),
    },
)

TABLES: Mapping[str, Table] = {"own": OWN, "empty": EMPTY, "nested": NESTED}

# Swagger 2.0, Parameter Object: the array ["a b", "c", 1]. `multi` is for queries and forms only.
_QUERY = {
    "csv": "?color=a%20b,c,1",
    "ssv": "?color=a%20b%20c%201",
    "tsv": "?color=a%20b%09c%091",
    "pipes": "?color=a%20b%7Cc%7C1",
    "multi": "?color=a%20b&color=c&color=1",
}
_PATH = {
    "csv": "a%20b,c,1",
    "ssv": "a%20b%20c%201",
    "tsv": "a%20b%09c%091",
    "pipes": "a%20b%7Cc%7C1",
}
_HEADER = {
    "csv": "color: a b,c,1",
    "ssv": "color: a b c 1",
    "tsv": "color: a b\tc\t1",
    "pipes": "color: a b|c|1",
}
_FORM = {
    "csv": "color=a+b,c,1",
    "ssv": "color=a+b+c+1",
    "tsv": "color=a+b%09c%091",
    "pipes": "color=a+b%7Cc%7C1",
    "multi": "color=a+b&color=c&color=1",
}
COLLECTION: tuple[object, ...] = ("a b", "c", 1)
COLLECTION_FORMATS: Mapping[str, Mapping[str, str]] = {
    "query": {"": _QUERY["csv"], **_QUERY},
    "path": {"": _PATH["csv"], **_PATH},
    "header": {"": _HEADER["csv"], **_HEADER},
    "formData": {"": _FORM["csv"], **_FORM},
}


def cases() -> Iterator[Case]:
    """Every cell of every table of styles."""
    for table in TABLES.values():
        for (place, style, explode), cells in table.rows.items():
            for value, sent in zip(table.values, cells, strict=True):
                yield Case(place=place, style=style, explode=explode, value=value, sent=sent)


def collection_cases() -> Sequence[tuple[str, str, str]]:
    """Place, `collectionFormat` (empty where none is given) and what is sent for COLLECTION."""
    return [
        (place, given, sent)
        for place, formats in COLLECTION_FORMATS.items()
        for given, sent in formats.items()
    ]
