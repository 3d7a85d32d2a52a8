"""`ocp-gateway headers`."""

import sys
from collections.abc import Iterator, Mapping

import click
import orjson

from gateway.cli.failures import CommandFailed, complain
from gateway.cli.terminal import pretty_json
from gateway.context import (
    SESSION,
    AgentContext,
    InboundContext,
    decode_session,
    from_mapping,
    is_valid_context,
    outbound_headers,
    read_inbound,
    to_mapping,
    without_session,
)
from gateway.messages import Headers, header


@click.group()
def headers() -> None:
    """Turn a context into OCP headers and back, stdin to stdout."""


@headers.command()
def encode() -> None:
    """Read a context object (JSON), print its OCP headers as `Name: value` lines.

    What the headers do not carry of it is named on stderr. Exit code 1: there is no OCP-Session
    among them.
    """
    context = _read_context(sys.stdin.buffer.read())
    pairs = outbound_headers(context, full=True)
    session = _session(pairs, context.context_id)
    if session is None:  # or one that no gateway would read
        pairs = without_session(pairs)
    click.echo("\n".join(f"{name}: {value}" for name, value in pairs))
    for remark in _missing(context, pairs):
        complain(remark)
    if session is None:
        raise CommandFailed(
            "no OCP-Session: the context does not fit, or a member of it is not valid"
        )
    for remark in _trimmed(to_mapping(context), to_mapping(session)):
        complain(remark)


@headers.command()
def decode() -> None:
    """Read `Name: value` lines, print the context object (JSON) that they carry.

    Without a session it is what the other headers say. A header that is not valid is named on
    stderr, and the exit code is 1 when nothing is left.
    """
    pairs = _read_lines(sys.stdin.buffer.read())
    inbound = read_inbound(pairs)
    for reason in inbound.rejects:
        complain(f"ignored: {reason}")
    # Read again, with the foreign members that calls leave aside.
    session = _session(pairs, inbound.context_id) if inbound.session else None
    known = to_mapping(session) if session else _claims(inbound)
    if not known:
        raise CommandFailed("no valid OCP header on stdin")
    click.echo(pretty_json(known))


def _read_context(data: bytes) -> AgentContext:
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise CommandFailed(f"stdin is not JSON: {error}") from None
    try:
        if is_valid_context(value):
            return from_mapping(value)
    except ValueError:  # a count beyond 63 bits, which the schema admits
        pass
    raise CommandFailed("stdin is not an OCP context object (OCP 1.0, context schema)")


def _missing(context: AgentContext, pairs: Headers) -> Iterator[str]:
    """What of the context its short headers do not carry, a line for each."""
    names = {name for name, _ in pairs}
    claims = {
        "OCP-Context-ID": context.context_id,
        "OCP-Agent-Type": context.agent_type,
        "OCP-Current-Goal": context.current_goal,
        "OCP-User": context.user,
        "OCP-Workspace": context.workspace,
    }
    for name, value in claims.items():
        if value and name not in names:
            yield f"no {name}: the header cannot carry the value"
    if context.agent_type and header(pairs, "OCP-Agent-Type") not in {None, context.agent_type}:
        yield "OCP-Agent-Type: reduced to the characters that the header allows"


def _session(pairs: Headers, context_id: str | None) -> AgentContext | None:
    value = header(pairs, SESSION)
    session = None if value is None or context_id is None else decode_session(value, context_id)
    return session if isinstance(session, AgentContext) else None


def _trimmed(whole: Mapping[str, object], less: Mapping[str, object]) -> Iterator[str]:
    for name, member in whole.items():
        sent = less.get(name)
        if sent == member:
            continue
        if isinstance(member, list) and isinstance(sent, list) and len(sent) < len(member):
            yield f"{name}: {len(member) - len(sent)} of {len(member)} entries left out"
        elif isinstance(member, str) and isinstance(sent, str):
            yield f"{name}: cut to {len(sent)} of {len(member)} characters"
        else:
            yield f"{name}: shortened"


def _read_lines(data: bytes) -> Headers:
    """Header lines as HTTP and curl -i write them; other lines are no headers and pass unseen."""
    # By line feeds alone: `splitlines` takes controls inside a value for line ends.
    lines = data.decode("latin-1").split("\n")
    pairs = (line.rstrip("\r").partition(":") for line in lines)
    return tuple((name.strip(" \t"), value.strip(" \t")) for name, colon, value in pairs if colon)


def _claims(inbound: InboundContext) -> dict[str, str]:
    claims = {
        "context_id": inbound.context_id,
        "agent_type": inbound.agent_type,
        "current_goal": inbound.goal,
        "user": inbound.user,
        "workspace": inbound.workspace,
    }
    return {name: value for name, value in claims.items() if value is not None}
