"""Legacy sessions: the id itself carries the session, signed, so no process has to remember it.

Workers and replicas share traffic, and an SDK client uses several connections; whatever lived only
in the process that saw `initialize` would be missing in the next one.
"""

import base64
import hashlib
import hmac
import re
import struct
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

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
_MAX_ENDED = 100_000
_ID = re.compile(r"s1\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)", re.ASCII)

CAPABILITIES = ("elicitation.form", "elicitation.url", "sampling", "sampling.tools", "roots")
"""What a client may be asked for. Session ids carry the positions: only ever append."""


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

    `keys`: secrets of at least 32 bytes; the first signs, all verify. Ending a session holds in
    this process only: other processes have no way to hear of it without a shared store.
    """

    def __init__(self, keys: Iterable[bytes]) -> None:
        self._keys = [(_derive(key, b"mcp-session"), _derive(key, b"ctx")) for key in keys]
        self._ended: OrderedDict[bytes, float] = OrderedDict()

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
        return f"{_PREFIX}{_b64(payload)}.{_b64(mac)}"

    def find(
        self, session_id: str, *, principal: Principal, api: str | None, now: float
    ) -> Session | None:
        """The session, or None: forged, expired, ended, another principal's or another API's.

        The four look alike on purpose, so that an id cannot be probed.
        """
        opened = self._open(session_id)
        if opened is None:
            return None
        payload, context_key = opened
        position, bits, owner, scope, issued, nonce = _FIXED.unpack_from(payload)
        expires_at = issued + LIFE_SECONDS
        if (owner, scope) != (_digest(principal.name), _digest(_scope(api))):
            return None
        if now >= expires_at or nonce in self._ended:
            return None
        handshake = Handshake(
            revision=LEGACY[position],
            capabilities=frozenset(name for n, name in enumerate(CAPABILITIES) if bits >> n & 1),
            client_name=payload[_FIXED.size :].decode("utf-8", "ignore") or None,
        )
        context_id = "ocp-" + _sign(context_key, nonce)[:16].hex()
        return Session(
            handshake=handshake, nonce=nonce, context_id=context_id, expires_at=expires_at
        )

    def end(self, session: Session, *, now: float) -> None:
        """From here on `find` does not know the session any more."""
        self._ended[session.nonce] = session.expires_at
        while self._ended and (
            len(self._ended) > _MAX_ENDED or next(iter(self._ended.values())) <= now
        ):
            self._ended.popitem(last=False)

    def _open(self, session_id: str) -> tuple[bytes, bytes] | None:
        match = _ID.fullmatch(session_id) if len(session_id) <= _MAX_ID else None
        if match is None:
            return None
        payload, mac = _unb64(match[1]), _unb64(match[2])
        if payload is None or mac is None or len(mac) != _MAC_BYTES:
            return None
        for signing_key, context_key in self._keys:
            if hmac.compare_digest(mac, _sign(signing_key, payload)):
                return payload, context_key
        return None


def read_capabilities(declared: object) -> frozenset[str]:
    """The members of CAPABILITIES that an `initialize` declares; other shapes declare nothing."""
    if not isinstance(declared, dict):
        return frozenset()
    found = {name for name in ("sampling", "roots") if isinstance(declared.get(name), dict)}
    elicitation = declared.get("elicitation")
    if isinstance(elicitation, dict):
        # An empty object means form, as it did before url mode existed (2025-11-25).
        found |= {f"elicitation.{mode}" for mode in ("form", "url") if mode in elicitation}
        found |= set() if elicitation else {"elicitation.form"}
    sampling = declared.get("sampling")
    if isinstance(sampling, Mapping) and "tools" in sampling:
        found.add("sampling.tools")
    return frozenset(found)


def _derive(key: bytes, label: bytes) -> bytes:
    """HKDF-SHA256 (RFC 5869) without salt, one block: a key of its own for each use."""
    extracted = hmac.digest(bytes(32), key, "sha256")
    return hmac.digest(extracted, label + b"\x01", "sha256")


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


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _unb64(text: str) -> bytes | None:
    """Strict and canonical: the decoder alone would ignore what follows the padding."""
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    return data if _b64(data) == text else None
