"""Who is calling, by the keys that the configuration names."""

from collections.abc import Iterable, Sequence
from hashlib import sha256

from gateway.messages import Headers, header_values
from gateway.policy import Caller, Principal

_KEY_HEADER = "x-api-key"
_AUTHORIZATION = "authorization"
_SCHEME = "bearer "
_Holder = tuple[Principal, bool]


class ApiKeys:
    """Keys by their SHA-256, so that no comparison takes longer the more of a key is right."""

    def __init__(self, keys: Iterable[tuple[str, str, bool]]) -> None:
        """`keys`: id, key, and whether its holder is an admin."""
        self._callers = {
            _digest(key): (Principal(name=f"key:{name}"), admin) for name, key, admin in keys
        }

    def adopt(self, other: "ApiKeys") -> None:
        """From now on knows whom `other` does."""
        self._callers = other._callers  # noqa: SLF001 - another of its kind

    def authenticate(self, headers: Headers) -> Caller | None:
        """The caller whose key is in `X-API-Key` or `Authorization: Bearer`; None for nobody's.

        Values are Latin-1 text. A header that is there twice says nothing, and goes no further
        either where one of its values is a key.
        """
        found = {name: self._holders(name, headers) for name in (_KEY_HEADER, _AUTHORIZATION)}
        consumed = frozenset(name for name, holders in found.items() if any(holders))
        for holders in found.values():
            if len(holders) == 1 and (known := holders[0]):
                return Caller(principal=known[0], admin=known[1], consumed=consumed)
        return None

    def _holders(self, name: str, headers: Headers) -> Sequence[_Holder | None]:
        """Whose key is in each value of that header."""
        values = header_values(headers, name)
        if name == _AUTHORIZATION:
            values = tuple(map(_token, values))
        return [self._callers.get(_digest(value)) for value in values]


def _token(value: str) -> str:
    """What follows the scheme, whose case does not matter (RFC 9110 section 11.1)."""
    is_bearer = value[: len(_SCHEME)].lower() == _SCHEME
    return value[len(_SCHEME) :].strip(" ") if is_bearer else ""


def _digest(key: str) -> bytes:
    return sha256(key.encode("latin-1", "replace")).digest()
