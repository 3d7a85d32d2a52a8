"""Failures as one clear line each on stderr, and their exit codes."""

import os
import sys

import click

from gateway.cli.terminal import one_line
from gateway.errors import ConfigError, DescriptionError, GatewayError

UNUSABLE = 2
FAILED = 1
# What a shell reports for a process that SIGINT or SIGPIPE ended.
INTERRUPTED = 130
PIPE_CLOSED = 141


class CommandFailed(click.ClickException):
    """The command understood what was asked and could not do it."""

    exit_code = FAILED


def complain(message: str) -> None:
    click.echo(f"ocp-gateway: {one_line(message)}", err=True)


def exit_code_of(error: BaseException) -> int:
    """Says what went wrong and returns the exit code; an error of another kind goes on as it is."""
    error = innermost(error)
    if isinstance(error, (click.Abort, KeyboardInterrupt)):
        if sys.stderr.isatty():
            click.echo(err=True)  # the terminal shows ^C, and the prompt belongs below it
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        return _close_quietly()
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return error.exit_code
    for line in _lines(error):
        complain(line)
    if isinstance(error, click.ClickException):
        return error.exit_code
    return UNUSABLE if isinstance(error, (ConfigError, DescriptionError)) else FAILED


def innermost(error: BaseException) -> BaseException:
    """The failure inside task groups, which wrap even a single one.

    Of several it is the first: the others followed from it.
    """
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _lines(error: BaseException) -> tuple[str, ...]:
    match error:
        case click.ClickException():
            return (_usage(error),)
        case ConfigError():
            return error.faults
        case GatewayError():
            return tuple(str(error).splitlines())
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            return (f"{where}{error.strerror or error}",)
        case _:
            raise error


def _usage(error: click.ClickException) -> str:
    message = error.format_message()
    if isinstance(error, click.UsageError) and error.ctx is not None:
        return f"{message.rstrip('.')} (see {error.ctx.command_path} --help)"
    return message


def _close_quietly() -> int:
    # The interpreter flushes stdout once more at exit and would complain about the same pipe.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return PIPE_CLOSED
