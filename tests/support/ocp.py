"""What an OCP-aware API would check, written without the gateway's own code."""

import base64
import gzip
import json
import re
from collections.abc import Mapping
from pathlib import Path

from jsonschema import Draft7Validator

from tests.support.echo_upstream import Seen

_SCHEMA = json.loads(Path(__file__).with_name("ocp-context.schema.json").read_text())
_VALIDATOR = Draft7Validator(_SCHEMA, format_checker=Draft7Validator.FORMAT_CHECKER)
_HEADER_ID = re.compile(r"[a-zA-Z0-9-]{1,64}")
_HEADER_AGENT_TYPE = re.compile(r"[a-zA-Z0-9_.-]{1,128}")
SESSION_LIMIT = 8192
GZIP_ABOVE = 1024


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
