"""Which YAML texts all parsers read alike: the line-by-line half of `yaml_everyday`.

A suspicious line is harmless where it is only text, part of a scalar that began further up. That is
told by indentation, of which YAML 1.1, YAML 1.2 and people think the same.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import compress, count

# A line opens no more levels than it has columns: with more, the parser's recursion, which has no
# limit of its own, could leave the stack.
MAX_COLUMNS = 150
# How many suspicious lines are looked into, and how far back: together they bound the work.
MAX_PLACES = 5_000
MAX_LINES_BACK = 2_000

# What the patterns below are made of, in re.VERBOSE: `[ ]` is a blank and `[#]` a hash. Quantifiers
# are possessive, so that no text makes them try again and again.
_REST = r"[ ]*+ (?:(?<=[ ])[#].*+)? $"
_DASHES = r"[ ]*+ (?:-[ ]++)*+"
_COLON = r":(?=[ \n]|\Z)"
_KEY = rf"""(?:
    "[^"\\\n]*+(?:\\.[^"\\\n]*+)*+" [ ]*+ {_COLON}
  | '[^'\n]*+(?:''[^'\n]*+)*+' [ ]*+ {_COLON}
  | (?:[^\s"'#\[{{!&*|>%@`:] | :(?![ \n])) [^:\n]*+ (?::(?![ \n])[^:\n]*+)*+ {_COLON}
)"""
# In flow collections: words, and digits without anything that makes a number odd.
_WORD = r"(?:[A-Za-z/$][\w./$@+-]*+(?:[ ]++[\w./$@+-]++)*+ | -?[0-9][0-9.-]{0,30}+(?![\w+]))"
_QUOTED = r"""(?:"[^"\\\n]*+" | '[^'\n]*+')"""
_ATOM = rf"(?:{_QUOTED} | {_WORD} | \[[ ]*\] | \{{[ ]*\}})"


def _flow(item: str) -> str:
    """`item`, a list of such or a mapping to such, on one line."""
    pair = rf"(?:{_QUOTED}:[ ]*+ | (?![-0-9]){_WORD}:[ ]++) {item}"
    return rf"""(?:
        {item}
      | \[[ ]*+ {item} (?:[ ]*+,[ ]*+ {item})*+ [ ]*+\]
      | \{{[ ]*+ {pair} (?:[ ]*+,[ ]*+ {pair})*+ [ ]*+\}}
    )"""


# Numbers of YAML 1.1, of yaml-rs, or perhaps infinite.
_NUMBER = r"""(?:
    (?=[-+._]*+[0-9]) (?=[-+0-9a-fA-F.xXoO]*+_) [-+0-9a-fA-F._xXoO]++
  | (?:[-+]0[xXoObB] | 0[XObB]) [0-9a-fA-F]++
  | [-+]?\.(?i:inf|nan)
  | [-+]?[0-9.]++[eE][+]?[0-9]{3,}+
  | [-+]?[0-9.]{200,}+(?:[eE].*+)?
)"""
# A key of which yaml-rs makes an integer that Python would write in another way.
_ODD_KEY = rf"""(?:
    (?=[-+_]*+[0-9]) (?:[+] | -?_ | -?0[0-9xXoObB_] | -0 | -?[0-9]++_) [0-9a-fA-F_]*+
    [ ]*+ {_COLON}
)"""
# A tag, an anchor, no simple header of a block scalar, no short flow collection.
_VALUE = rf"""(?:
    [!&]
  | (?=[|>]) (?![|>](?:[-+]?[1-9]? | [1-9][-+]) {_REST})
  | (?=[\[{{]) (?!{_flow(_flow(_ATOM))} {_REST})
)"""
_LINE = re.compile(
    rf"""\n(?=
    (?P<deep> [ ?:-]{{{MAX_COLUMNS}}} )
  | (?P<marker> --- | \.\.\. | % )
  | [ ]*+ (?P<dash> (?:-[ ]++)++)?+
    (?: (?P<own> [?:](?:[ ]|$) | ["']?<<["']?[ ]*+{_COLON} | [!&].*?{_COLON}
        | {_ODD_KEY} )
      | (?P<key> {_KEY}[ ]*+ )?+ (?: (?P<number> {_NUMBER} {_REST} ) | {_VALUE} )
    )
    )(?P<line>.*)""".encode(),
    re.VERBOSE | re.MULTILINE,
)
# Half of a surrogate pair, which libyaml refuses.
_SURROGATE = re.compile(rb"\\(?:u|U0000)[dD][89a-fA-F]")
_MARKER = re.compile(rb"^(?:---|\.\.\.|%)", re.MULTILINE)
_FIRST_MARKER = re.compile(rb"(?: *+(?:#.*+)?\n)*+--- *\n")
# Behind these the next line starts a value; behind anything else it goes on with one.
_OPENS = re.compile(rb"(?:[:-]|\A---) *+(?:(?<= )#.*)?\Z")
_INLINE = re.compile(
    rf"(?P<before>{_DASHES}) {_KEY} [ ]++ [^\s#\[{{!&]".encode(), re.VERBOSE | re.MULTILINE
)


def is_everyday(data: bytes) -> bool:
    """Whether all parsers read `data` alike."""
    lines = data.split(b"\n")
    distinct = _distinct(lines)
    if _SURROGATE.search(distinct):
        return False
    odd, first = set[bytes](), set[bytes]()
    for match in _LINE.finditer(distinct):
        if match["deep"] or (match["marker"] and not _is_one_document(data)):
            return False
        if match["marker"]:
            continue
        starts = match["dash"] or match["own"] or match["key"] or match["number"]
        (odd if starts else first).add(match["line"])
    places = _places(lines, odd | first)
    return len(places) <= MAX_PLACES and all(
        (lines[at] in first and not _is_first(lines, at)) or _is_text(lines, at) for at in places
    )


def _distinct(lines: Sequence[bytes]) -> bytes:
    """Every line once, for most of a large description's stand in it many times."""
    return b"\n".join((b"", *set(lines), b""))


def _places(lines: Sequence[bytes], wanted: Collection[bytes]) -> Sequence[int]:
    return [*compress(count(), map(wanted.__contains__, lines))] if wanted else ()


def _is_one_document(data: bytes) -> bool:
    head = _FIRST_MARKER.match(data)
    return _MARKER.search(data, head.end() if head else 0) is None


def _is_first(lines: Sequence[bytes], at: int) -> bool:
    """Whether a value starts on the line, not only the next line of one."""
    for above in _above(lines, at):
        if (text := above.strip()) and not text.startswith(b"#"):
            return _OPENS.search(text) is not None
    return True


def _is_text(lines: Sequence[bytes], at: int) -> bool:
    """Whether a scalar that starts behind a key further up goes on on this line.

    It does when all lines since are indented deeper than that key.
    """
    floor = _indentation(lines[at])
    for above in _above(lines, at):
        if not floor:
            break
        if not above.strip() or (indentation := _indentation(above)) >= floor:
            continue
        inline = _INLINE.match(above)
        if inline and inline.end("before") < floor:
            return True
        floor = indentation
    return False


def _above(lines: Sequence[bytes], at: int) -> Iterator[bytes]:
    return (lines[index] for index in range(at - 1, max(-1, at - MAX_LINES_BACK), -1))


def _indentation(line: bytes) -> int:
    return len(line) - len(line.lstrip(b" "))
