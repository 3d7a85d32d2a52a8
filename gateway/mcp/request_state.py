"""`requestState`: what a call has come to, in the hands of the client but out of its reach.

The client brings it back, perhaps changed, perhaps to another process (2026-07-28, MRTR: the state
is to be treated as input of an attacker). So it is encrypted, and bound to all that it is about.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.calls import json_bytes
from gateway.mcp.keys import derive, from_text, to_text
from gateway.policy import Principal

LIFE_SECONDS = 600
MAX_STATE = 16_384
"""Characters of a state as it is sent."""
STATE_NONCE_BYTES = 12
_PREFIX = "v1."
_LABEL = b"mcp-request-state"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedRound:
    """What a state holds. `digest` is that of the request's parameters; `round` counts from 1.

    `state` is the engine's own, None where it keeps nothing.
    """

    principal: Principal
    api: str | None
    digest: str
    round: int
    context_id: str | None = None
    state: Mapping[str, object] | None = field(default=None, repr=False)


class RequestStates:
    """Seals and opens states. `keys`: secrets of at least 32 bytes; the first seals, all open."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        self._ciphers = [AESGCM(derive(key, _LABEL)) for key in keys]

    def seal(self, asked: SealedRound, *, now: float, nonce: bytes) -> str:
        """`now`: seconds since the epoch; `nonce`: STATE_NONCE_BYTES fresh random bytes.

        Raises ValueError for what is too large to be sent.
        """
        content = {
            "until": int(now) + LIFE_SECONDS,
            "principal": asked.principal.name,
            "api": asked.api,
            "digest": asked.digest,
            "round": asked.round,
            "context": asked.context_id,
            "state": asked.state,
        }
        sealed = self._ciphers[0].encrypt(nonce, json_bytes(content), _LABEL)
        text = _PREFIX + to_text(nonce + sealed)
        if len(text) > MAX_STATE:
            message = f"a state of {len(text)} characters, more than {MAX_STATE}"
            raise ValueError(message)
        return text

    def open(
        self, text: str, *, principal: Principal, api: str | None, digest: str, now: float
    ) -> SealedRound | None:
        """What was sealed; None where it is not ours, expired, or about something else."""
        asked = self._opened(text, principal, now)
        if asked is None or (asked.api, asked.digest) != (api, digest):
            return None
        return asked

    def _opened(self, text: str, principal: Principal, now: float) -> SealedRound | None:
        match self._content(text):
            case {
                "until": int(until),
                "principal": principal.name,
                "api": str() | None as api,
                "digest": str(digest),
                "round": int(number),
                "context": str() | None as context_id,
                "state": dict() | None as state,
            } if now < until:
                return SealedRound(
                    principal=principal,
                    api=api,
                    digest=digest,
                    round=number,
                    context_id=context_id,
                    state=state,
                )
            case _:
                return None

    def _content(self, text: str) -> object:
        raw = from_text(text.removeprefix(_PREFIX)) if len(text) <= MAX_STATE else None
        if raw is None or not text.startswith(_PREFIX) or len(raw) <= STATE_NONCE_BYTES:
            return None
        nonce, sealed = raw[:STATE_NONCE_BYTES], raw[STATE_NONCE_BYTES:]
        for cipher in self._ciphers:
            try:
                # Not orjson: an API's state may hold integers of any size, and they stay exact.
                content: object = json.loads(cipher.decrypt(nonce, sealed, _LABEL))
            except InvalidTag:
                continue
            return content
        return None
