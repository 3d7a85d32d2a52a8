"""`ocp-gateway check`."""

import asyncio
from pathlib import Path

import click

from gateway import wiring
from gateway.catalog import Catalog
from gateway.cli.failures import FAILED
from gateway.cli.logs import start_logging
from gateway.cli.options import description_options, read_config
from gateway.cli.terminal import one_line, progress
from gateway.config import Config, Overrides
from gateway.wiring import Checked, Remark


@click.command()
@description_options
def check(config_path: Path | None, specs: tuple[str, ...], base_urls: tuple[str, ...]) -> int:
    """Load everything and print what is wrong with it.

    error: an operation was left out. invalid: the specification is broken, but the meaning is
    clear. docs/checks.md explains the codes.

    Exit code 0: no operation was left out. 1: some were. 2: unusable.
    """
    config = _read_config(config_path, specs, base_urls)
    with progress("checking descriptions"):
        checked, declared = asyncio.run(wiring.check_apis(config))
    for api in checked:
        for remark in api.remarks:
            click.echo(one_line(_line(api.api, remark)))
    for line in declared:
        click.echo(one_line(f"warning: {line}"))
    for api in checked:
        click.echo(_summary(api))
    skipped = any(remark.severity == "error" for api in checked for remark in api.remarks)
    return FAILED if skipped else 0


def load_catalog(
    config_path: Path | None, specs: tuple[str, ...], base_urls: tuple[str, ...]
) -> Catalog:
    """The catalog of CONFIG and flags. Raises ConfigError or DescriptionError."""
    config = _read_config(config_path, specs, base_urls)
    with progress("loading descriptions"):
        return asyncio.run(wiring.load_catalog(config))


def _read_config(
    config_path: Path | None, specs: tuple[str, ...], base_urls: tuple[str, ...]
) -> Config:
    start_logging(form="text", level="warning")
    return read_config(config_path, Overrides(specs=specs, base_urls=base_urls, listens=False))


def _line(api: str, remark: Remark) -> str:
    place = f"{remark.place}:{remark.line}" if remark.line else remark.place
    code = f" ({remark.code})" if remark.code else ""
    return f"{remark.severity}: {api}: {place}: {remark.pointer or '/'}: {remark.message}{code}"


def _summary(checked: Checked) -> str:
    found = [remark.severity for remark in checked.remarks]
    parts = (
        _counted(checked.tools, "tool"),
        _counted(found.count("error"), "error"),
        f"{found.count('invalid'):,} invalid",
        _counted(found.count("warning"), "warning"),
    )
    return f"{checked.api}: {', '.join(parts)}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
