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
from gateway.config import Overrides


@click.command()
@description_options
def check(config_path: Path | None, specs: tuple[str, ...], base_urls: tuple[str, ...]) -> int:
    """Load everything and print what is wrong with it.

    Exit code 0: clean, or warnings only. 1: operations were skipped. 2: unusable.
    """
    catalog = load_catalog(config_path, specs, base_urls)
    for problem in catalog.problems:
        line = f"{problem.severity}: {problem.api}: {problem.pointer or '/'}: {problem.message}"
        click.echo(one_line(line))
    for api in catalog.apis:
        click.echo(_summary(catalog, api))
    skipped = any(problem.severity == "error" for problem in catalog.problems)
    return FAILED if skipped else 0


def load_catalog(
    config_path: Path | None, specs: tuple[str, ...], base_urls: tuple[str, ...]
) -> Catalog:
    """The catalog of CONFIG and flags. Raises ConfigError or DescriptionError."""
    start_logging(form="text", level="warning")
    overrides = Overrides(specs=specs, base_urls=base_urls, listens=False)
    config = read_config(config_path, overrides)
    with progress("loading descriptions"):
        return asyncio.run(wiring.load_catalog(config))


def _summary(catalog: Catalog, api: str) -> str:
    found = [problem.severity for problem in catalog.problems if problem.api == api]
    parts = (
        _counted(len(catalog.view(api).tools), "tool"),
        _counted(found.count("error"), "error"),
        _counted(found.count("warning"), "warning"),
    )
    return f"{api}: {', '.join(parts)}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
