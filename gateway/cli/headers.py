"""`ocp-gateway headers`."""

import sys

import click
import orjson

from gateway.cli.failures import CommandFailed, complain
from gateway.cli.terminal import pretty_json
from gateway.context import (
    AgentContext,
    InboundContext,
    from_mapping,
    is_valid_context,
    outbound_headers,
    read_inbound,
    to_mapping,
)
from gateway.messages import Headers


@click.group()
def headers() -> None:
    """Turn a context into OCP headers and back, stdin to stdout."""


@headers.command()
def encode() -> None:
    """Read a context object (JSON), print its OCP headers as `Name: value` lines."""
    context = _read_context(sys.stdin.buffer.read())
    pairs = outbound_headers(context, full=True)
    click.echo("\n".join(f"{name}: {value}" for name, value in pairs))
    if not any(name == "OCP-Session" for name, _ in pairs):
        complain("no OCP-Session: the context does not fit, or its id or a member is not valid")


@headers.command()
def decode() -> None:
    """Read `Name: value` lines, print the context object (JSON) that they carry.

    Without a session it is what the other headers say. A header that is not valid is named on
    stderr, and the exit code is 1 when nothing is left.
    """
    inbound = read_inbound(_read_lines(sys.stdin.buffer.read()))
    for reason in inbound.rejects:
        complain(f"ignored: {reason}")
    known = to_mapping(inbound.session) if inbound.session else _claims(inbound)
    if not known:
        raise CommandFailed("no valid OCP header on stdin")
    click.echo(pretty_json(known))


def _read_context(data: bytes) -> AgentContext:
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise CommandFailed(f"stdin is not JSON: {error}") from None
    if not is_valid_context(value):
        raise CommandFailed("stdin is not an OCP context object (OCP 1.0, context schema)")
    return from_mapping(value)


def _read_lines(data: bytes) -> Headers:
    """Header lines as HTTP and curl -i write them; other lines are no headers and pass unseen."""
    lines = data.decode("latin-1").splitlines()
    pairs = (line.partition(":") for line in lines)
    return tuple((name.strip(), value.strip()) for name, colon, value in pairs if colon)


def _claims(inbound: InboundContext) -> dict[str, str]:
    claims = {
        "context_id": inbound.context_id,
        "agent_type": inbound.agent_type,
        "current_goal": inbound.goal,
        "user": inbound.user,
        "workspace": inbound.workspace,
    }
    return {name: value for name, value in claims.items() if value is not None}
