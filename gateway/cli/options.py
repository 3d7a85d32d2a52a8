"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from gateway.config import Config, Overrides, load_config, process_environment

Command = TypeVar("Command", bound=Callable[..., object])
_FILE = click.Path(path_type=Path)


def description_options(command: Command) -> Command:
    """CONFIG, --spec and --base-url."""
    for decorate in (
        click.option(
            "--base-url",
            "base_urls",
            multiple=True,
            metavar="NAME=URL",
            help="Where the API NAME is.",
        ),
        click.option(
            "--spec",
            "specs",
            multiple=True,
            metavar="[NAME=]PATH_OR_URL",
            help="An OpenAPI description; without NAME its title gives the name.",
        ),
        click.argument("config_path", metavar="[CONFIG]", required=False, type=_FILE),
    ):
        command = decorate(command)
    return command


def store_option(command: Command) -> Command:
    return click.option(
        "--store",
        metavar="URL",
        help="Where contexts live: memory://, sqlite:///PATH, redis://, redis+sentinel://, "
        "redis+cluster://, env:NAME.",
    )(command)


def log_options(command: Command) -> Command:
    """--log-format and --log-level."""
    for decorate in (
        click.option(
            "--log-level",
            type=click.Choice(["debug", "info", "warning", "error"]),
            default="info",
            show_default=True,
            help="The least important message that is logged (to stderr).",
        ),
        click.option(
            "--log-format",
            type=click.Choice(["text", "json"]),
            default="text",
            show_default=True,
            help="One line of text or one JSON object for each message.",
        ),
    ):
        command = decorate(command)
    return command


def read_config(config_path: Path | None, overrides: Overrides) -> Config:
    """The Config of this process. Raises ConfigError."""
    return load_config(
        config_path, overrides=overrides, environ=process_environment(), cwd=Path.cwd()
    )
