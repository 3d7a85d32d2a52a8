"""Sockets to listen on, and how they are closed."""

import errno
import socket
import sys
from collections.abc import Iterator

import pytest

from gateway.wiring.listening import bind, close_all, refuse_new


@pytest.fixture
def door() -> Iterator[socket.socket]:
    sockets = bind("127.0.0.1", 0)
    yield sockets[0]
    close_all(sockets)


def connect(door: socket.socket, seconds: float = 5) -> socket.socket:
    return socket.create_connection(door.getsockname(), timeout=seconds)


def test_a_bound_door_refuses_callers_until_somebody_listens(door: socket.socket) -> None:
    with pytest.raises(ConnectionRefusedError):
        connect(door)
    door.listen()
    connect(door).close()


def test_every_address_of_a_name_gets_the_same_port() -> None:
    sockets = bind("", 0)
    try:
        assert len({sock.getsockname()[1] for sock in sockets}) == 1
    finally:
        close_all(sockets)


def test_a_port_that_is_taken_is_said_to_be(door: socket.socket) -> None:
    door.listen()
    with pytest.raises(OSError, match="in use") as raised:
        bind("127.0.0.1", door.getsockname()[1])
    assert raised.value.errno == errno.EADDRINUSE


def test_r31_who_has_connected_is_served_and_nobody_new_comes(door: socket.socket) -> None:
    door.listen()
    with connect(door) as early:
        refuse_new(door)
        with pytest.raises(TimeoutError):
            connect(door, 0.2)
        early.sendall(b"hello")
        door.settimeout(5)
        accepted, _ = door.accept()
        with accepted:
            accepted.settimeout(5)
            assert accepted.recv(5) == b"hello"
            accepted.sendall(b"bye")
            assert early.recv(3) == b"bye"
    door.close()


def test_a_system_without_filters_goes_without(
    door: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    refuse_new(door)
    door.listen()
    connect(door).close()
