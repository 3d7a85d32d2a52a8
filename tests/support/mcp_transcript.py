"""One conversation in MCP as it is overheard: who asked what, under which revision.

What is wrong is noted in FAULTS and never raised where it was heard, because that would be in the
middle of the gateway's own work.
"""

import json
from collections.abc import Callable, Mapping

from tests.support.mcp_judge import judge_body, judge_message, judge_status, read_line, requests_in
from tests.support.mcp_shapes import LEGACY, MODERN

FAULTS: list[str] = []
SESSIONS: dict[str, str] = {}
"""The revision of each legacy session whose opening was overheard."""

_VERSION = "io.modelcontextprotocol/protocolVersion"
_SHOWN = 600
# Of refusals after a look at the head.
_UNREAD = {405, 406, 413, 415}


def decoded(data: bytes) -> object:
    """A message of the client's; None for what is no JSON."""
    try:
        value: object = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value


def note(judge: Callable[[], None], said: object, heard: bytes) -> None:
    """Let the judge speak; a fault is kept with what it is about."""
    try:
        judge()
    except Exception as fault:  # noqa: BLE001 - nothing that a judge meets may disturb the judged
        words = f"{type(fault).__name__}: {fault}"
        FAULTS.append(f"{words}\n  said:  {said!r:.{_SHOWN}}\n  heard: {heard[:_SHOWN]!r}")


def opens(asked: object) -> bool:
    return isinstance(asked, dict) and asked.get("method") == "initialize"


def agreed_in(heard: bytes) -> str | None:
    """The revision that a response to `initialize` agrees."""
    value = decoded(heard)
    result = value.get("result") if isinstance(value, dict) else None
    agreed = result.get("protocolVersion") if isinstance(result, dict) else None
    return agreed if agreed in LEGACY else None


def revision_over_http(headers: Mapping[str, list[str]]) -> str | None:
    """What the headers of a request, by lower-case name, say of its revision."""
    versions = headers.get("mcp-protocol-version", [])
    if versions and (len(versions) > 1 or versions[0].strip() not in LEGACY):
        return MODERN
    (session, *_) = headers.get("mcp-session-id", [""])
    return SESSIONS.get(session.strip())


def remember(session: str | None, revision: str | None) -> None:
    """What the opening of a session has told."""
    if session and revision:
        SESSIONS[session] = revision


def judge_post(
    headers: Mapping[str, list[str]], asked: object, status: int, body: bytes, session: str | None
) -> None:
    """A whole JSON answer to a POST; `session` is the id that its head gives."""
    revision = revision_over_http(headers)
    if revision != MODERN and opens(asked):
        # Whoever has a session already may still open another one.
        revision = agreed_in(body)
        remember(session, revision)

    def judge() -> None:
        value = read_line(body)
        unread = status in _UNREAD and isinstance(value, dict) and value.get("id") is None
        judge_body(body, revision=revision, asked=None if unread else asked)
        judge_status(status, value, revision=revision)

    note(judge, asked, body)


class Transcript:
    """Both sides of one stdio process, or of one connection of 2024-11-05.

    Each request gets one answer at most.
    """

    def __init__(self) -> None:
        self._asked: list[object] = []
        self._agreed: str | None = None
        self._modern: bool | None = None
        self._openings = 0
        self._rest = b""

    def say(self, chunk: bytes) -> None:
        """More of what the client sends; `b""` is its end."""
        *lines, rest = (self._rest + chunk).split(b"\n")
        self._rest = rest if chunk else b""
        for line in [*lines, b"" if chunk else rest]:
            if line.strip():
                value = decoded(line)
                self._asked += value if isinstance(value, list) and value else [value]
                self._openings += opens(value)
                if self._modern is None and requests_in(value):
                    self._modern = _claims_modern(value)

    def hear(self, line: bytes) -> None:
        """One line of the gateway's."""
        note(lambda: self._judge(line), self._asked[-3:], line)

    def _judge(self, line: bytes) -> None:
        assert line.endswith(b"\n"), "a line has an end"
        value = read_line(line[:-1])
        self._agreed = agreed_in(line) or self._agreed
        revision = self._revision()
        assert value, "an empty line"
        assert not isinstance(value, list) or revision in (None, "2025-03-26"), "no batches here"
        for answer in value if isinstance(value, list) else [value]:
            judge_message(answer, revision=revision, asked=self._asked)
            self._forget(answer)

    def _forget(self, answer: object) -> None:
        """What is answered is asked no more."""
        if not isinstance(answer, dict) or "method" in answer:
            return
        for asked in self._asked:
            if isinstance(asked, dict) and asked.get("id") == answer["id"]:
                self._asked.remove(asked)
                return

    def _revision(self) -> str | None:
        """The first request fixes the era; whoever shakes hands twice is not followed."""
        if self._modern:
            return MODERN
        return self._agreed if self._openings == 1 else None


def overhear(said: bytes, heard: bytes) -> None:
    """What went through the pipes of a stdio process from its beginning to its end."""
    transcript = Transcript()
    transcript.say(said)
    transcript.say(b"")
    for line in heard.splitlines(keepends=True):
        transcript.hear(line)


def _claims_modern(value: object) -> bool:
    """Whether a first request makes the process a modern one."""
    params = value.get("params") if isinstance(value, dict) else None
    meta = params.get("_meta") if isinstance(params, dict) else None
    return isinstance(meta, dict) and _VERSION in meta and not opens(value)
