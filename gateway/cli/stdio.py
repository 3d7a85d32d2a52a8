"""`ocp-gateway stdio`."""

import asyncio
from pathlib import Path

import click

from gateway import wiring
from gateway.cli.logs import start_serving_log
from gateway.cli.options import description_options, log_options, read_config, store_option
from gateway.config import Overrides
from gateway.context import ID_RULE, is_header_id


def _check_id(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and not is_header_id(value):
        raise click.BadParameter(f"a context id is {ID_RULE}")
    return value


@click.command()
@description_options
@store_option
@click.option(
    "--context",
    "context_id",
    metavar="ID",
    callback=_check_id,
    help="Bind this process to one context.",
)
@click.option("--workspace", is_flag=True, help="Not available yet in this version.")
@log_options
def stdio(  # noqa: PLR0913 - click hands over one argument for each option
    *,
    config_path: Path | None,
    specs: tuple[str, ...],
    base_urls: tuple[str, ...],
    store: str | None,
    context_id: str | None,
    workspace: bool,
    log_format: str,
    log_level: str,
) -> None:
    """Speak MCP over stdin and stdout.

    stdout carries MCP messages only; everything else goes to stderr.
    """
    if workspace:
        raise click.UsageError(
            "--workspace is not available yet in this version (workspace services)"
        )
    start_serving_log(form=log_format, level=log_level)
    overrides = Overrides(specs=specs, base_urls=base_urls, store=store, listens=False)
    asyncio.run(wiring.stdio(read_config(config_path, overrides), context_id=context_id))
