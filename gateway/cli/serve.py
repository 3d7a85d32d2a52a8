"""`ocp-gateway serve`."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import click

from gateway import wiring
from gateway.cli.failures import CommandFailed, innermost
from gateway.cli.logs import start_serving_log
from gateway.cli.options import description_options, log_options, read_config, store_option
from gateway.config import Config, Overrides
from gateway.wiring import ConfigSource


@click.command()
@description_options
@click.option("--host", metavar="HOST", help="Address to listen on.  [default: 127.0.0.1]")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    metavar="PORT",
    help="Port to listen on; 0 picks a free one.  [default: 8080]",
)
@store_option
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Processes.  [default: 1]")
@click.option(
    "--insecure-open",
    is_flag=True,
    help="Serve other machines although nothing authenticates them.",
)
@click.option(
    "--access-log/--no-access-log",
    default=True,
    show_default=True,
    help="Log each HTTP request.",
)
@log_options
def serve(  # noqa: PLR0913 - click hands over one argument for each option
    *,
    config_path: Path | None,
    specs: tuple[str, ...],
    base_urls: tuple[str, ...],
    host: str | None,
    port: int | None,
    store: str | None,
    workers: int | None,
    insecure_open: bool,
    log_format: str,
    log_level: str,
    access_log: bool,
) -> int:
    """Run the gateway over HTTP.

    Flags override the environment, which overrides CONFIG.
    """
    start_serving_log(form=log_format, level=log_level, access=access_log)
    overrides = Overrides(
        specs=specs,
        base_urls=base_urls,
        host=host,
        port=port,
        store=store,
        workers=workers,
        insecure_open=insecure_open,
    )
    config = read_config(config_path, overrides)
    source = ConfigSource(read=lambda: read_config(config_path, overrides), file=config_path)
    return serve_config(config, announce=_say_listening, source=source)


def serve_config(
    config: Config, *, announce: Callable[[str], None], source: ConfigSource | None = None
) -> int:
    """Serves until a signal ends it; the exit code.

    Raises CommandFailed when the address cannot be had.
    """
    try:
        return wiring.run(config, announce=announce, new_loop=fast_loop, source=source)
    except (wiring.CannotListen, BaseExceptionGroup) as error:
        first = innermost(error)
        if not isinstance(first, wiring.CannotListen):
            raise
        raise CommandFailed(str(first.strerror)) from None


def fast_loop() -> asyncio.AbstractEventLoop:
    """An event loop of uvloop where that is installed, of asyncio elsewhere."""
    try:
        from uvloop import new_event_loop  # noqa: PLC0415 - optional, and other commands do without
    except ImportError:
        return asyncio.new_event_loop()
    return new_event_loop()


def _say_listening(url: str) -> None:
    click.echo(f"listening on {url}", err=True)
