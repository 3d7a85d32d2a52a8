"""Failures become lines and exit codes."""

import errno

import click
import pytest

from gateway.cli.failures import CommandFailed, exit_code_of
from gateway.errors import ConfigError, DescriptionError, UnknownTool
from tests.cli.conftest import Cli


@pytest.mark.parametrize(
    ("error", "code", "lines"),
    [
        pytest.param(ConfigError("a: 1", "b: 2"), 2, ["a: 1", "b: 2"], id="configuration"),
        pytest.param(DescriptionError("x\ny"), 2, ["x", "y"], id="descriptions"),
        pytest.param(UnknownTool("no\x1b"), 1, ["no\\x1b"], id="control-character"),
        pytest.param(CommandFailed("no"), 1, ["no"], id="command"),
        pytest.param(click.UsageError("no flag"), 2, ["no flag"], id="usage"),
        pytest.param(
            OSError(errno.EACCES, "Denied", "/x"), 1, ["/x: Denied"], id="operating-system"
        ),
        pytest.param(
            ExceptionGroup("", [ExceptionGroup("", [ConfigError("a")]), ValueError()]),
            2,
            ["a"],
            id="task-group",
        ),
        pytest.param(KeyboardInterrupt(), 130, [], id="interrupted"),
    ],
)
def test_each_kind_has_its_lines_and_its_code(
    error: BaseException, code: int, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code_of(error) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == [f"ocp-gateway: {line}" for line in lines]


def test_a_mistake_of_our_own_is_not_dressed_up() -> None:
    with pytest.raises(ZeroDivisionError):
        exit_code_of(ExceptionGroup("", [ZeroDivisionError()]))


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        pytest.param(("serv",), "No such command 'serv'. Did you mean 'serve'?", id="command"),
        pytest.param(("--nope",), "No such option", id="option"),
        pytest.param(("serve", "--port", "x"), "'--port': 'x' is not a valid", id="port"),
        pytest.param(("serve", "--workers", "0"), "'--workers': 0 is not in", id="workers"),
        pytest.param(("serve", "--log-level", "x"), "'--log-level': 'x' is not", id="level"),
        pytest.param(("serve", "a", "b"), "unexpected extra argument", id="argument"),
        pytest.param(
            ("serve", "--spec", "a=x", "--workers", "2", "--store", "memory://"),
            "every worker would have a memory of its own",
            id="workers-with-memory",
        ),
        pytest.param(("serve", "nope.yaml"), "nope.yaml: No such file", id="no-file"),
        pytest.param(("stdio", "--context", "a b"), "a context id is", id="context"),
        pytest.param(("stdio", "--workspace"), "--workspace is not available yet", id="workspace"),
        pytest.param(
            ("serve", "--spec", "a=x", "--host", "[::1]"), "without brackets", id="bracketed-host"
        ),
        pytest.param(
            ("serve", "--spec", "a=x", "--host", "127.0.0.1 "), "or spaces", id="host-with-space"
        ),
        pytest.param(
            ("serve", "--spec", "a=x", "--host", "127.0.0.1:80"), "port", id="host-with-port"
        ),
        pytest.param(("call",), "Missing argument 'TOOL' (see", id="no-tool"),
        pytest.param(("diff", "a", "b"), "No such command 'diff'", id="later-command"),
    ],
)
def test_a_bad_command_line_is_one_line_and_exit_2(
    cli: Cli, arguments: tuple[str, ...], line: str
) -> None:
    done = cli(*arguments)
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.startswith("ocp-gateway: ")
    assert done.stderr.count("\n") == 1
    assert line in done.stderr


@pytest.mark.parametrize("arguments", [(), ("headers",)], ids=["program", "group"])
def test_without_a_command_the_help_is_shown(cli: Cli, arguments: tuple[str, ...]) -> None:
    done = cli(*arguments)
    assert (done.code, done.stdout) == (2, "")
    assert "Commands:" in done.stderr
