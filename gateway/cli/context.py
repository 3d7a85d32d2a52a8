"""`ocp-gateway context`: a look into a store."""

import asyncio
import shutil
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote

import click

from gateway import wiring
from gateway.cli.failures import CommandFailed
from gateway.cli.options import store_option
from gateway.cli.terminal import one_line, pretty_json
from gateway.config import Overrides, StoreConfig, load_config, process_environment
from gateway.context import ID_RULE, AgentContext, is_header_id, to_mapping
from gateway.engine import OwnContexts
from gateway.errors import ConfigError, UnknownContext
from gateway.policy import ANONYMOUS, Principal

Answer = TypeVar("Answer")
Command = TypeVar("Command", bound=Callable[..., object])

_PAGE = 100
_HEAD = ("ID", "AGENT", "CALLS", "UPDATED", "GOAL")
_GAP = "  "
_MAX_CELL = 200  # a goal may have 65,536 characters, and every row of a table is as wide


@click.group()
def context() -> None:
    """Look into a context store.

    The store is the one of --store, else of the environment, else of CONFIG, else serve's default.
    """


def _options(command: Command) -> Command:
    """[CONFIG], --store and --principal."""
    for decorate in (
        click.option(
            "--principal",
            metavar="NAME",
            default=ANONYMOUS.name,
            show_default=True,
            help="Whose contexts: anonymous, key:ID or jwt:ISSUER#SUBJECT.",
        ),
        store_option,
        click.argument(
            "config_path", metavar="[CONFIG]", required=False, type=click.Path(path_type=Path)
        ),
    ):
        command = decorate(command)
    return command


@context.command(name="list")
@_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="A table, or a JSON array with one context a line.",
)
def list_contexts(
    *, config_path: Path | None, store: str | None, principal: str, form: str
) -> None:
    """Print a principal's contexts, in the order of their ids."""
    owner = Principal(name=principal)
    found = _ask(config_path, store, lambda contexts: _summaries(contexts, owner))
    if form == "json":
        lines = [pretty_json(summary, indent=None) for summary in found]
        click.echo(b"[\n" + b",\n".join(lines) + b"\n]" if lines else b"[]")
        return
    rows = [tuple(_cell(value) for value in summary.values()) for summary in found]
    click.echo("\n".join(_table(rows)))


@context.command()
@click.argument("context_id", metavar="ID")
@_options
def show(*, context_id: str, config_path: Path | None, store: str | None, principal: str) -> None:
    """Print one context as its OCP context object (JSON).

    Exit code 1: there is none.
    """
    _check_id(context_id)
    owner = Principal(name=principal)
    with _absence_told(context_id, owner):
        found = _ask(config_path, store, lambda contexts: contexts.read(owner, context_id))
    click.echo(pretty_json(to_mapping(found)))


@context.command()
@click.argument("context_id", metavar="ID")
@_options
def delete(*, context_id: str, config_path: Path | None, store: str | None, principal: str) -> None:
    """Delete one context, without asking.

    Exit code 1: there is none.
    """
    _check_id(context_id)
    owner = Principal(name=principal)
    with _absence_told(context_id, owner):
        _ask(config_path, store, lambda contexts: contexts.delete(owner, context_id))
    click.echo(f"deleted {context_id}")


def _ask(
    config_path: Path | None,
    url: str | None,
    question: Callable[[OwnContexts], Awaitable[Answer]],
) -> Answer:
    config = load_config(
        config_path,
        overrides=Overrides(store=url),
        environ=process_environment(),
        cwd=Path.cwd(),
        needs_api=False,
    )
    _check_there(config.store)

    async def ask() -> Answer:
        store = wiring.make_store(config.store)
        try:
            return await question(OwnContexts(store, wiring.make_surroundings()))
        finally:
            await store.aclose()

    return asyncio.run(ask())


def _check_there(store: StoreConfig) -> None:
    """Looking into a store is not what makes it."""
    if store.url.reveal().lower().startswith("memory:"):
        raise ConfigError("store.url: only the process that holds memory:// can look into it")
    path = store.sqlite_path
    if path is not None and not Path(unquote(str(path))).is_file():
        raise CommandFailed(f"there is no store: {unquote(str(path))} does not exist")


async def _summaries(contexts: OwnContexts, owner: Principal) -> list[dict[str, object]]:
    found = []
    cursor: str | None = None
    while True:
        page = await contexts.list(owner, cursor=cursor, limit=_PAGE)
        found += [_summary(item.context) for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found


def _summary(found: AgentContext) -> dict[str, object]:
    return {
        "context_id": found.context_id,
        "agent_type": found.agent_type,
        "interaction_count": found.session.interaction_count if found.session else 0,
        "last_updated": found.last_updated,
        "current_goal": found.current_goal,
    }


def _check_id(context_id: str) -> None:
    if not is_header_id(context_id):
        raise click.UsageError(f"an id is {ID_RULE}")


@contextmanager
def _absence_told(context_id: str, owner: Principal) -> Iterator[None]:
    try:
        yield
    except UnknownContext as error:
        raise CommandFailed(f"{owner.name} has no context {context_id}") from error


def _cell(value: object) -> str:
    text = "" if value is None else one_line(str(value))
    return text if len(text) <= _MAX_CELL else text[: _MAX_CELL - 1] + "…"


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Lines under a head; on a terminal none is longer than it is wide."""
    table = [_HEAD, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(_HEAD))]
    lines = [
        _GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]
    if not sys.stdout.isatty():
        return lines
    room = shutil.get_terminal_size().columns
    return [line if len(line) <= room else line[: room - 1] + "…" for line in lines]
