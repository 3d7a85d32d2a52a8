"""Secrets: values that are referred to, read when they are used, and never shown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gateway.config.files import read_file
from gateway.errors import ConfigError

MAX_SECRET_BYTES = 65_536
_ENV = "env:"
_FILE = "file:"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Secret:
    """A value that `repr`, `str` and every message show as `shown` only.

    `shown` is the reference (`env:NAME`, `file:/path`), or `***` for a value given in place.
    """

    shown: str
    _read: Callable[[], str] = field(repr=False)

    def reveal(self) -> str:
        """The value, read now, so that a rotated file is seen. Raises ConfigError without it."""
        return self._read()

    def __eq__(self, other: object) -> bool:
        """Whether it is the same reference, or the same value given in place."""
        if not isinstance(other, Secret) or self.shown != other.shown:
            return False
        return is_reference(self.shown) or self._read() == other._read()

    def __hash__(self) -> int:
        return hash(self.shown)

    def __str__(self) -> str:
        return self.shown


def is_reference(text: str) -> bool:
    return text.startswith((_ENV, _FILE))


def read_secret(text: str, environ: Mapping[str, str]) -> Secret:
    """The secret that `text` refers to, or `text` itself as one. Nothing is read yet."""
    if text.startswith(_ENV):
        return Secret(shown=text, _read=lambda: _from_environment(text, environ))
    if text.startswith(_FILE):
        return Secret(shown=text, _read=lambda: _from_file(text))
    return Secret(shown="***", _read=lambda: text)


def _from_environment(reference: str, environ: Mapping[str, str]) -> str:
    value = environ.get(reference.removeprefix(_ENV), "")
    if not value:
        raise ConfigError(f"the environment variable of {reference} is not set")
    return value


def _from_file(reference: str) -> str:
    path = Path(reference.removeprefix(_FILE))
    if not path.is_absolute():
        raise ConfigError(f"{reference} must name an absolute path")
    try:
        data = read_file(path, MAX_SECRET_BYTES)
        value = data.decode().rstrip("\r\n")
    except OSError as error:
        raise ConfigError(f"{reference} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{reference} is not UTF-8 text") from None
    if not value or len(data) > MAX_SECRET_BYTES:
        raise ConfigError(f"{reference} is {'too large' if value else 'empty'}")
    return value
