"""Sockets to listen on: bound once, inherited by workers, closed without losing a caller."""

import ctypes
import errno
import socket
import struct
import sys
from collections.abc import Sequence

BACKLOG = 1_024
"""Connections that wait to be accepted."""
# Linux, asm-generic/socket.h; Python has no name for it.
_SO_ATTACH_FILTER = 26
# Classic BPF over the TCP header, whose byte 13 holds the flags: load it, keep SYN and ACK, drop
# the segment if it is SYN alone, accept whatever else comes (RFC 9293 section 3.1).
_NO_MORE_SYN = (
    (0x30, 0, 0, 13),
    (0x54, 0, 0, 0x12),
    (0x15, 0, 1, 0x02),
    (0x06, 0, 0, 0),
    (0x06, 0, 0, 0xFFFFFFFF),
)


def bind(host: str, port: int) -> Sequence[socket.socket]:
    """Sockets bound to every address of `host`; port 0 picks one, the same for all.

    They refuse callers until somebody listens, so that nobody waits for a start.
    Raises OSError; socket.gaierror for an unknown host.
    """
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    addresses = list(dict.fromkeys((item[0], item[4]) for item in found))
    opened: list[socket.socket] = []
    try:
        for family, address in addresses:
            chosen = opened[0].getsockname()[1] if opened else port
            opened.append(_bind_to(family, (address[0], chosen, *address[2:])))
    except OSError:
        close_all(opened)
        raise
    return opened


def _bind_to(family: int, address: tuple[object, ...]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(0)
        # A restart shall not wait for connections of the last run (RFC 9293 section 3.4.2).
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock


def close_all(sockets: Sequence[socket.socket]) -> None:
    for sock in sockets:
        sock.close()


def refuse_new(sock: socket.socket) -> None:
    """Lets nobody begin to connect any more; who has begun can still be accepted.

    Closing a listening socket resets the connections in its queue. With this before it, and a
    moment to accept them between, there are none. A caller who comes too late hears nothing, tries
    again after a second, and is refused. Does nothing where the system has no such filter.
    """
    if not sys.platform.startswith("linux"):
        return
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in _NO_MORE_SYN)
    program = ctypes.create_string_buffer(code)
    filter_ = struct.pack("HL", len(_NO_MORE_SYN), ctypes.addressof(program))
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, filter_)
    except OSError as error:
        # Sandboxes that emulate the kernel have none; nothing is lost but what would be anyway.
        if error.errno not in (errno.ENOPROTOOPT, errno.EINVAL, errno.EPERM, errno.EOPNOTSUPP):
            raise
