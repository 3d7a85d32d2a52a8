"""Who is calling, by the keys that the configuration names."""

from collections.abc import Iterable
from hashlib import sha256

from gateway.messages import Headers, header_values
from gateway.policy import Caller, Principal

_KEY_HEADER = "x-api-key"
_AUTHORIZATION = "authorization"
_SCHEME = "bearer "


class ApiKeys:
    """Keys by their SHA-256, so that no comparison takes longer the more of a key is right."""

    def __init__(self, keys: Iterable[tuple[str, str, bool]]) -> None:
        """`keys`: id, key, and whether its holder is an admin."""
        self._callers = {
            _digest(key): (Principal(name=f"key:{name}"), admin) for name, key, admin in keys
        }

    def authenticate(self, headers: Headers) -> Caller | None:
        """The caller whose key is in `X-API-Key` or `Authorization: Bearer`; None for nobody's.

        Values are Latin-1 text. A header that is there twice says nothing.
        """
        for name, sent in ((_KEY_HEADER, _only(headers, _KEY_HEADER)), _bearer(headers)):
            known = self._callers.get(_digest(sent)) if sent else None
            if known is not None:
                principal, admin = known
                return Caller(principal=principal, admin=admin, consumed=frozenset({name}))
        return None


def _bearer(headers: Headers) -> tuple[str, str | None]:
    value = _only(headers, _AUTHORIZATION)
    # RFC 9110 section 11.1: the scheme's case does not matter.
    is_bearer = value is not None and value[: len(_SCHEME)].lower() == _SCHEME
    return _AUTHORIZATION, value[len(_SCHEME) :].strip(" ") if value and is_bearer else None


def _only(headers: Headers, name: str) -> str | None:
    values = header_values(headers, name)
    return values[0] if len(values) == 1 else None


def _digest(key: str) -> bytes:
    return sha256(key.encode("latin-1", "replace")).digest()
