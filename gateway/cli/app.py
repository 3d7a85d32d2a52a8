"""The group of commands, and the one place where a failure becomes a line and an exit code."""

import sys
from collections.abc import Sequence

import click

from gateway import __version__
from gateway.cli.call import call
from gateway.cli.check import check
from gateway.cli.context import context
from gateway.cli.demo import demo
from gateway.cli.failures import exit_code_of
from gateway.cli.headers import headers
from gateway.cli.serve import serve
from gateway.cli.stdio import stdio
from gateway.cli.tools import tools
from gateway.errors import GatewayError

PROGRAM = "ocp-gateway"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name=PROGRAM, message="%(prog)s %(version)s")
def cli() -> None:
    """HTTP APIs as tools for agents, with one conversation context."""


for command in (serve, stdio, tools, check, call, context, headers, demo):
    cli.add_command(command)


def main() -> None:
    """The console script."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Runs one command and returns its exit code."""
    try:
        code = _invoke(arguments)
        sys.stdout.flush()
    except (
        click.Abort,
        click.ClickException,
        BaseExceptionGroup,
        GatewayError,
        KeyboardInterrupt,
        OSError,
    ) as error:
        return exit_code_of(error)
    return code


def _invoke(arguments: Sequence[str]) -> int:
    # Not `cli.main`: it turns a closed pipe into an exit code of its own, which has changed
    # between click's versions.
    try:
        with cli.make_context(PROGRAM, list(arguments)) as context:
            code: object = cli.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    return code if isinstance(code, int) else 0
