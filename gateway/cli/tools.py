"""`ocp-gateway tools`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from gateway.catalog import Catalog, Tool, review
from gateway.cli.check import load_catalog
from gateway.cli.failures import complain
from gateway.cli.options import description_options
from gateway.cli.table import print_table
from gateway.cli.terminal import one_line
from gateway.dialects.ocp import ocp_tool
from gateway.errors import UnknownApi
from gateway.mcp import V2026_07_28, describe_tool, encode_json
from gateway.openapi import Problem

_FORMATS = ("table", "ocp", "mcp")
_LATER = ("openai", "openai-responses", "anthropic", "gemini", "langchain")

Named = Sequence[tuple[str, Tool]]


@click.command()
@description_options
@click.option(
    "--format",
    "form",
    type=click.Choice([*_FORMATS, *_LATER]),
    default="table",
    show_default=True,
    help=f"What to print. Not available yet: {', '.join(_LATER)}.",
)
@click.option("--api", metavar="NAME", help="The tools of one API, under their own names.")
@click.option("--search", metavar="TEXT", help="Tools with TEXT in name or description.")
@click.option(
    "--report", is_flag=True, help='Print {"tools": [...], "problems": [...]} as JSON instead.'
)
def tools(  # noqa: PLR0913 - click hands over one argument for each option
    *,
    config_path: Path | None,
    specs: tuple[str, ...],
    base_urls: tuple[str, ...],
    form: str,
    api: str | None,
    search: str | None,
    report: bool,
) -> None:
    """Print the tools that the descriptions give.

    A table, or a JSON array with one tool a line. With --report the table's place is taken by the
    ocp format.
    """
    if form in _LATER:
        raise click.UsageError(f"--format {form} is not available yet in this version")
    catalog = load_catalog(config_path, specs, base_urls)
    # OCP agents know tools by what descriptions alone call them.
    generated = form == "ocp" or (report and form == "table")
    found = _select(catalog, api, search, generated=generated)
    if report:
        _print_report(catalog, found, api, form)
        return
    if form == "table":
        print_table(_rows(found))
    else:
        click.echo(_array(_definition(form, name, tool) for name, tool in found))
    _mention_skipped(catalog)


def _select(catalog: Catalog, api: str | None, search: str | None, *, generated: bool) -> Named:
    try:
        view = catalog.view(api)
    except UnknownApi as error:
        raise click.UsageError(f"--api: {error}") from None
    wanted = (search or "").casefold()
    return [
        (name, tool)
        for name, tool in (view.generated if generated else view.tools).items()
        if wanted in f"{name}\n{tool.description}".casefold()
    ]


def _definition(form: str, name: str, tool: Tool) -> Mapping[str, object]:
    if form == "mcp":
        return describe_tool(name, tool, V2026_07_28)
    return {**ocp_tool(tool), "name": name}


def _print_report(catalog: Catalog, found: Named, api: str | None, form: str) -> None:
    problems = [
        asdict(problem)
        for name, each in catalog.apis.items()
        if api in (None, name)
        # In an order that the description's own has no part in.
        for problem in sorted((*each.problems, *review(each)), key=_place)
    ]
    definitions = [_definition(form, name, tool) for name, tool in found]
    report = {"tools": definitions, "problems": problems}
    click.echo(encode_json(report))


def _place(problem: Problem) -> tuple[str, str, str]:
    return problem.pointer, problem.severity, problem.message


def _array(definitions: Iterable[Mapping[str, object]]) -> bytes:
    lines = [encode_json(item) for item in definitions]
    return b"[\n" + b",\n".join(lines) + b"\n]" if lines else b"[]"


def _rows(found: Named) -> list[tuple[str, ...]]:
    return [
        (
            name,
            f"{tool.method} {one_line(tool.path)}",
            _arguments(tool.input_schema),
            str(_tokens(name, tool)),
            one_line(tool.description.partition("\n")[0]),
        )
        for name, tool in found
    ]


def _arguments(schema: Mapping[str, object]) -> str:
    """The required arguments by name, and how many optional ones there are."""
    properties = schema.get("properties")
    required = schema.get("required")
    names = [str(name) for name in required] if isinstance(required, (list, tuple)) else []
    optional = len(properties) - len(names) if isinstance(properties, Mapping) else 0
    return " ".join([*names, f"+{optional}"] if optional else names) or "-"


def _tokens(name: str, tool: Tool) -> int:
    """ceil(bytes of the compact definition / 4)."""
    return -(-len(encode_json(describe_tool(name, tool, V2026_07_28))) // 4)


def _mention_skipped(catalog: Catalog) -> None:
    errors = [problem for problem in catalog.problems if problem.severity == "error"]
    # A setting without a tool has no place in the description.
    for problem in errors:
        if not problem.pointer:
            complain(f"{problem.api}: {problem.message}")
    skipped = sum(bool(problem.pointer) for problem in errors)
    if skipped:
        what = "operation was" if skipped == 1 else "operations were"
        complain(f"{skipped} {what} left out; `ocp-gateway check` says why")
