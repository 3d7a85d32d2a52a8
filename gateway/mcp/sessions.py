"""Legacy sessions: the id itself carries the session, signed, so no process has to remember it.

Workers and replicas share traffic, and an SDK client uses several connections; whatever lived only
in the process that saw `initialize` would be missing in the next one.
"""

import hashlib
import hmac
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.mcp.capabilities import CAPABILITIES
from gateway.mcp.keys import derive, from_text, to_text
from gateway.mcp.revisions import LEGACY, Revision
from gateway.policy import Principal

LIFE_SECONDS = 86_400
NONCE_BYTES = 12

_PREFIX = "s1."
# Revision, capability bits, principal, scope, issued at, nonce; the client's name fills the rest.
_FIXED = struct.Struct(">BB8s8sQ12s")
_MAC_BYTES = 32
_MAX_ID = 512
_MAX_CLIENT_NAME = 64
_MAX_FOUND = 4_096
_ID = re.compile(r"s1\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """What `initialize` agreed. `client_name` is as the client gave it, None if it did not."""

    revision: Revision
    capabilities: frozenset[str] = frozenset()
    client_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session read back from its id. `nonce` is what makes it one of its kind."""

    handshake: Handshake
    nonce: bytes
    context_id: str
    expires_at: float


class Sessions:
    """Mints and reads session ids.

    `keys`: secrets of at least 32 bytes; the first signs, all verify. That a session has ended is
    not in its id: whoever finds one here has to ask for that elsewhere.
    """

    def __init__(self, keys: Iterable[bytes]) -> None:
        self._keys = [(derive(key, b"mcp-session"), derive(key, b"ctx")) for key in keys]
        # A client sends its id with every request, and what it says of itself never changes.
        self._found: dict[tuple[str, str, str | None], Session] = {}

    def mint(
        self,
        handshake: Handshake,
        *,
        principal: Principal,
        api: str | None,
        now: float,
        nonce: bytes,
    ) -> str:
        """A new session id: visible ASCII, at most some 200 characters. `nonce`: NONCE_BYTES."""
        bits = sum(1 << n for n, name in enumerate(CAPABILITIES) if name in handshake.capabilities)
        fixed = _FIXED.pack(
            LEGACY.index(handshake.revision),
            bits,
            _digest(principal.name),
            _digest(_scope(api)),
            int(now),
            nonce,
        )
        payload = fixed + _cut(handshake.client_name or "")
        mac = _sign(self._keys[0][0], payload)
        return f"{_PREFIX}{to_text(payload)}.{to_text(mac)}"

    def find(
        self, session_id: str, *, principal: Principal, api: str | None, now: float
    ) -> Session | None:
        """The session, or None: forged, expired, another principal's or another API's.

        They look alike on purpose, as does one that has ended, so that an id cannot be probed.
        """
        key = (session_id, principal.name, api)
        session = self._found.get(key) or self._read(session_id, principal, api)
        if session is None or now >= session.expires_at:
            return None
        if len(self._found) >= _MAX_FOUND:
            self._found.clear()
        self._found[key] = session
        return session

    def _read(self, session_id: str, principal: Principal, api: str | None) -> Session | None:
        opened = self._open(session_id)
        if opened is None:
            return None
        payload, context_key = opened
        position, bits, owner, scope, issued, nonce = _FIXED.unpack_from(payload)
        if (owner, scope) != (_digest(principal.name), _digest(_scope(api))):
            return None
        handshake = Handshake(
            revision=LEGACY[position],
            capabilities=frozenset(name for n, name in enumerate(CAPABILITIES) if bits >> n & 1),
            client_name=payload[_FIXED.size :].decode("utf-8", "ignore") or None,
        )
        context_id = "ocp-" + _sign(context_key, nonce)[:16].hex()
        return Session(
            handshake=handshake,
            nonce=nonce,
            context_id=context_id,
            expires_at=issued + LIFE_SECONDS,
        )

    def _open(self, session_id: str) -> tuple[bytes, bytes] | None:
        match = _ID.fullmatch(session_id) if len(session_id) <= _MAX_ID else None
        if match is None:
            return None
        payload, mac = from_text(match[1]), from_text(match[2])
        if payload is None or mac is None or len(mac) != _MAC_BYTES:
            return None
        for signing_key, context_key in self._keys:
            if hmac.compare_digest(mac, _sign(signing_key, payload)):
                return payload, context_key
        return None


def _sign(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8]


def _scope(api: str | None) -> str:
    return "/mcp" if api is None else f"/mcp/{api}"


def _cut(name: str) -> bytes:
    """The name's first bytes, never half a character."""
    head = name.encode("utf-8", "ignore")[:_MAX_CLIENT_NAME]
    return head.decode("utf-8", "ignore").encode()
