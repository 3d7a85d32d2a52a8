"""The addresses of a configuration as bound sockets."""

import errno
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from gateway.config import ServerConfig
from gateway.wiring.listening import bind, close_all


class CannotListen(OSError):
    """Its `strerror` says where, and why not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """`main` is for everybody, `probes` for health and metrics only."""

    main: Sequence[socket.socket]
    probes: Sequence[socket.socket] = ()

    def close(self) -> None:
        close_all((*self.main, *self.probes))


def open_doors(server: ServerConfig) -> Doors:
    """Raises CannotListen."""
    main = _open(server.host, server.port)
    if server.probe_listen is None:
        return Doors(main=main)
    try:
        return Doors(main=main, probes=_open(*server.probe_listen))
    except CannotListen:
        close_all(main)
        raise


def _open(host: str, port: int) -> Sequence[socket.socket]:
    with listening_on(host, port):
        return bind(host, port)


@contextmanager
def listening_on(host: str, port: int) -> Iterator[None]:
    """Raises CannotListen for what goes wrong with that."""
    try:
        yield
    except UnicodeError:
        text = f"cannot listen on {host}:{port}: not a host name"
        raise CannotListen(errno.EINVAL, text) from None
    except OSError as error:
        text = f"cannot listen on {host}:{port}: {error.strerror}"
        raise CannotListen(error.errno, text) from error


def url_of(sockets: Sequence[socket.socket], host: str) -> str:
    """What leads to these sockets of `host`."""
    port = sockets[0].getsockname()[1]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
