"""From file, environment and flags to one Config, or every fault at once."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from gateway.config.addresses import spec_fault, url_fault
from gateway.config.build import build_config, start_of, unnamed_api
from gateway.config.checks import check_tree
from gateway.config.document import read_document
from gateway.config.environment import overlay_environment
from gateway.config.files import read_file
from gateway.config.flags import overlay_base_urls, overlay_flags, unnamed_specs
from gateway.config.model import Config, Overrides
from gateway.config.offered import Entries
from gateway.config.prompts import read_prompts
from gateway.config.resources import read_resources
from gateway.config.tree import Origin, Source, Tree
from gateway.config.validation import check_schema
from gateway.errors import ConfigError

MAX_FILE_BYTES = 4_194_304
_NO_FILE = Origin(source=Source.FILE, label="configuration")


def load_config(
    path: Path | None,
    *,
    overrides: Overrides,
    environ: Mapping[str, str],
    cwd: Path,
    needs_api: bool = True,
) -> Config:
    """The configuration; flag > environment > file > default.

    Raises ConfigError with one line for each fault, naming the file and line, the variable or the
    flag; without `needs_api` it is no fault to name no API. Secrets must be there already, and are
    read again when they are used.
    """
    tree = _read(path, cwd) if path else Tree(file=_NO_FILE)
    # APIs that a flag names must be there before a variable can mean one of them; a value that
    # stands already is replaced only by a source that wins over its own.
    overlay_flags(tree, overrides)
    overlay_environment(tree, environ)
    waiting = overlay_base_urls(tree, overrides)
    unnamed = unnamed_specs(overrides)
    check_schema(tree)
    check_tree(tree, overrides, environ)
    _check_flags(tree, unnamed, waiting)
    if needs_api and not unnamed and not tree.at("apis") and not tree.has_faults:
        tree.fault((), "no API: list one under apis, or give --spec NAME=PATH_OR_URL")
    start = (cwd / path).parent if path else cwd
    entries = Entries(tree=tree, start=lambda keys: start_of(tree, keys, (start, cwd)))
    resources, prompts = tuple(read_resources(entries)), tuple(read_prompts(entries))
    tree.raise_faults()
    config = build_config(tree, overrides, environ, (start, cwd))
    later = (unnamed_api(spec, config.server, cwd) for spec in unnamed)
    return replace(
        config,
        apis=(*config.apis, *later),
        pending_base_urls=waiting,
        mcp=replace(config.mcp, resources=resources, prompts=prompts),
    )


def _read(path: Path, cwd: Path) -> Tree:
    try:
        data = read_file(cwd / path, MAX_FILE_BYTES)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_FILE_BYTES} bytes")
    return read_document(data, str(path))


def _check_flags(tree: Tree, unnamed: tuple[str, ...], waiting: Mapping[str, str]) -> None:
    """What never enters the tree, because the API has no name yet."""
    flags = [("--spec", spec_fault(spec) if spec else "must not be empty") for spec in unnamed]
    flags += [(f"--base-url {name}", url_fault(url)) for name, url in waiting.items()]
    for flag, fault in flags:
        if fault is not None:
            tree.fault_at(Origin(source=Source.FLAG, label=flag), fault)
