"""What an OCP-aware API would check, written without the gateway's own code."""

import base64
import gzip
import json
import re
from collections.abc import Mapping
from datetime import date, time
from pathlib import Path

from jsonschema import Draft7Validator, FormatChecker

from tests.support.echo_upstream import Seen

_SCHEMA = json.loads(Path(__file__).with_name("ocp-context.schema.json").read_text())
_FORMATS = FormatChecker(())
_VALIDATOR = Draft7Validator(_SCHEMA, format_checker=_FORMATS)
_HEADER_ID = re.compile(r"[a-zA-Z0-9-]{1,64}")
_HEADER_AGENT_TYPE = re.compile(r"[a-zA-Z0-9_.-]{1,128}")
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?"
    r"(?:[Zz]|([+-][0-9]{2}):([0-9]{2}))"
)
SESSION_LIMIT = 8192
GZIP_ABOVE = 1024


@_FORMATS.checks("date-time")
def _is_time(value: object) -> bool:
    """RFC 3339 5.6 to the letter: small letters and leap seconds too, which libraries forget."""
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return not isinstance(value, str)
    year, month, day, hour, minute, second, away, east = match.groups()
    offset = (0, 0) if away is None else (int(away[1:]), int(east))
    try:  # 2000 was a leap year, as the year 0 is
        date(int(year) or 2000, int(month), int(day))
        time(int(hour), int(minute), min(int(second), 59))
        time(*offset)
    except ValueError:
        return False
    minutes = (offset[0] * 60 + offset[1]) * (1 if away and away[0] == "-" else -1)
    utc = (int(hour) * 60 + int(minute) + minutes) % 1440
    return int(second) < 60 or (second == "60" and utc == 1439)


def encode_session(session: Mapping[str, object]) -> str:
    """The plain wire form: base64 of JSON."""
    return base64.b64encode(json.dumps(session).encode()).decode("ascii")


def read_session(seen: Seen) -> dict[str, object]:
    """The context that a request carries, after every rule of the protocol was checked on it."""
    context_id = seen.value("OCP-Context-ID")
    assert _HEADER_ID.fullmatch(context_id)
    assert _HEADER_AGENT_TYPE.fullmatch(seen.value("OCP-Agent-Type"))
    assert seen.value("OCP-Version") == "1.0"
    session = decode_session(seen.value("OCP-Session"))
    assert session["context_id"] == context_id
    return session


def validate(context: object) -> None:
    """Raises ValidationError unless the schema admits this object."""
    _VALIDATOR.validate(context)


def decode_session(value: str) -> dict[str, object]:
    assert len(value) <= SESSION_LIMIT
    packed = value.startswith("gzip:")
    data = base64.b64decode(value.removeprefix("gzip:"), validate=True)
    text = gzip.decompress(data) if packed else data
    assert packed == (len(text) > GZIP_ABOVE)
    session = json.loads(text)
    _VALIDATOR.validate(session)
    assert isinstance(session, dict)
    return session


def history(session: Mapping[str, object]) -> list[tuple[str, str | None, str | None]]:
    """Action, endpoint and result of each entry, oldest first."""
    entries = session.get("history", [])
    assert isinstance(entries, list)
    return [(e["action"], e.get("api_endpoint"), e.get("result")) for e in entries]
