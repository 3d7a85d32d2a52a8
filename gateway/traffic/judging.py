"""Messages against rules. A verdict names its faults only when it is asked: most are only counted.

Pointers lead into `{"path", "query", "header", "cookie", "body"}` of a request, and into
`{"status", "header", "body"}` of an answer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from gateway.calls import REQUIRED, ContentDecoder, Undecodable, pointer_of
from gateway.catalog import BodyForm, body_form
from gateway.errors import Fault
from gateway.messages import Headers, RequestHead, ResponseHead, header, header_values
from gateway.openapi import essence_of
from gateway.traffic.bodies import TooMuch, is_read_type, read_value
from gateway.traffic.pools import Check
from gateway.traffic.rules import BodyRule, BodyRules, Described, HeadRules, MessageRules
from gateway.traffic.shapes import TEXT
from gateway.traffic.texts import Segment, path_texts, read_cookies, read_query
from gateway.traffic.unreadable import Unreadable
from gateway.traffic.values import MISSING, cookie_value, header_value, path_value, query_value

Json = dict[str, object]
Read = Callable[[Described, bool], object]

MAX_POINTER = 1_000
"""Names of members are as long as somebody likes, and each fault below one repeats it."""
_CONTENT_TYPE = "/header/Content-Type"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is wrong with a message. `refused` are values that their checks have not admitted.

    `unjudged`: why some of it was not looked at, None where all of it was.
    """

    found: tuple[Fault, ...] = ()
    refused: tuple[tuple[Check, object], ...] = field(default=(), repr=False)
    unjudged: str | None = None

    @property
    def is_sound(self) -> bool:
        return not self.found and not self.refused

    def faults(self) -> tuple[Fault, ...]:
        """Every fault by its pointer. May take milliseconds."""
        explained = [fault for check, value in self.refused for fault in check.faults(value)]
        told = {fault.pointer for fault in self.found}
        found = (*self.found, *(fault for fault in explained if fault.pointer not in told))
        return tuple(replace(fault, pointer=fault.pointer[:MAX_POINTER]) for fault in found)

    def __add__(self, other: "Verdict") -> "Verdict":
        return Verdict(
            found=self.found + other.found,
            refused=self.refused + other.refused,
            unjudged=self.unjudged or other.unjudged,
        )


SOUND = Verdict()


def judge_request_head(
    rules: HeadRules, template: tuple[Segment, ...], head: RequestHead, base_path: str
) -> Verdict:
    """The parameters of a request; its target starts with `base_path`."""
    if rules.check is None:
        return SOUND
    path, _, query_text = head.target.removeprefix(base_path).partition("?")
    texts = path_texts(template, path) if rules.parameters.get("path") else {}
    query = read_query(query_text)
    cookies = read_cookies(head.headers) if rules.parameters.get("cookie") else query
    names = rules.names

    def in_path(each: Described, loose: bool) -> object:  # noqa: FBT001
        text = texts.get(each.parameter.name)
        if text is None:
            return MISSING
        return path_value(each.parameter, each.shape, text, loose=loose)

    def in_query(each: Described, loose: bool) -> object:  # noqa: FBT001
        return query_value(each.parameter, each.shape, query, names["query"], loose=loose)

    def in_cookie(each: Described, loose: bool) -> object:  # noqa: FBT001
        return cookie_value(each.parameter, each.shape, cookies, names["cookie"], loose=loose)

    readers: Mapping[str, Read] = {
        "path": in_path,
        "query": in_query,
        "header": _header_reader(head.headers),
        "cookie": in_cookie,
    }
    return _judge_head(rules, rules.check, readers)


def judge_answer_head(rules: MessageRules | None, head: ResponseHead) -> Verdict:
    """Whether the status is described, and the headers are as they are described for it."""
    if rules is None:
        return _refuse("/status", f"{head.status} is not described")
    if rules.head.check is None:
        return SOUND
    return _judge_head(rules.head, rules.head.check, {"header": _header_reader(head.headers)})


def judge_media(rules: BodyRules, headers: Headers, *, has_body: bool) -> Verdict:
    """Whether there is a body where one has to be, and its type is one of those described."""
    if not has_body:
        return _refuse("/body", REQUIRED) if rules.required else SOUND
    if not rules.by_type or rule_for(rules, headers) is not None:
        return SOUND
    return _refuse(_CONTENT_TYPE, f"is none of {', '.join(sorted(rules.by_type))[:200]}")


def judge_body(rule: BodyRule, headers: Headers, body: bytes, *, limit: int) -> Verdict:
    """A body of a type that is read, with its codings; inflated, it may have `limit` bytes."""
    if rule.check is None:
        return SOUND
    try:
        read = read_value(rule, _inflated(headers, body, limit), type_of(headers))
    except Unreadable as error:
        return _refuse("/body", str(error))
    except (TooMuch, Undecodable) as error:
        return Verdict(unjudged=str(error) or "the body has too much in it")
    verdict = Verdict(found=read.faults)
    if rule.check.is_valid(read.value) or rule.check.is_valid(read.other):
        return verdict
    return verdict + Verdict(refused=((rule.check, read.value),))


def rule_for(rules: BodyRules, headers: Headers) -> BodyRule | None:
    """The rule for a body of these headers; None where its type is not described."""
    return rules.find(essence_of(type_of(headers)) or "application/octet-stream")


def reads(rules: BodyRules, headers: Headers) -> BodyRule | None:
    """As `rule_for`, where a body of this type is looked at."""
    rule = rule_for(rules, headers)
    if rule is None or rule.check is None or not may_be_read(headers):
        return None
    is_text = body_form(essence_of(type_of(headers)), is_binary=False) is BodyForm.TEXT
    return None if is_text and not rule.shape.kinds <= TEXT.kinds else rule


def may_be_read(headers: Headers) -> bool:
    """As `reads`, as far as the type alone tells."""
    return is_read_type(type_of(headers).lower())


def type_of(headers: Headers) -> str:
    return (header(headers, "content-type") or "").strip()


def _inflated(headers: Headers, body: bytes, limit: int) -> bytes:
    decoder = ContentDecoder(headers)
    if not decoder.inflates:
        return body
    pieces: list[bytes] = []
    size = 0
    for piece in decoder.decode(body):
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            raise TooMuch
    decoder.finish()
    return b"".join(pieces)


def _header_reader(headers: Headers) -> Read:
    def in_header(each: Described, loose: bool) -> object:  # noqa: FBT001
        texts = header_values(headers, each.parameter.name)
        return header_value(each.parameter, each.shape, texts, loose=loose)

    return in_header


def _judge_head(rules: HeadRules, check: Check, readers: Mapping[str, Read]) -> Verdict:
    value, unreadable = _head_value(rules, readers, loose=False)
    if not unreadable and check.is_valid(value):
        return SOUND
    if not unreadable and check.is_valid(_head_value(rules, readers, loose=True)[0]):
        return SOUND
    return Verdict(found=unreadable, refused=((check, value),))


def _head_value(
    rules: HeadRules, readers: Mapping[str, Read], *, loose: bool
) -> tuple[Json, tuple[Fault, ...]]:
    """The values by location and name, and what could not be read at all."""
    made: Json = {}
    faults: list[Fault] = []
    for location, described in rules.parameters.items():
        if not described:
            continue
        found: Json = {}
        for each in described:
            name = each.parameter.name
            try:
                value = readers[location](each, loose)
            except Unreadable as error:
                faults.append(Fault(pointer=pointer_of([location, name]), message=str(error)))
                continue
            if value is not MISSING:
                found[name] = value
        made[location] = found
    return made, tuple(faults)


def _refuse(pointer: str, message: str) -> Verdict:
    return Verdict(found=(Fault(pointer=pointer, message=message),))
