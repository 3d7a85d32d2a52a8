"""The addresses of a configuration as bound sockets."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.config import ServerConfig
from gateway.wiring.listening import bind, close_all


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """`main` is for everybody, `probes` for health and metrics only."""

    main: Sequence[socket.socket]
    probes: Sequence[socket.socket] = ()

    def close(self) -> None:
        close_all((*self.main, *self.probes))


def open_doors(server: ServerConfig) -> Doors:
    """Raises OSError, socket.gaierror for an unknown host."""
    main = bind(server.host, server.port)
    if server.probe_listen is None:
        return Doors(main=main)
    try:
        return Doors(main=main, probes=bind(*server.probe_listen))
    except OSError:
        close_all(main)
        raise


def url_of(sockets: Sequence[socket.socket], host: str) -> str:
    """What leads to these sockets of `host`."""
    port = sockets[0].getsockname()[1]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
