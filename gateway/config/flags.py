"""Command-line flags laid over file and environment."""

import re

from gateway.config.environment import add_api, api_names, find_api
from gateway.config.model import Overrides
from gateway.config.tree import Keys, Origin, Source, Tree
from gateway.config.validation import suggestion
from gateway.config.vocabulary import API_NAME

# `NAME=` only: a URL with a query or a path with a directory is never taken for one.
_NAMED = re.compile(r"([^/:.=\\]*)=(.*)", re.DOTALL)


def overlay_flags(tree: Tree, overrides: Overrides) -> None:
    simple: dict[str, tuple[Keys, object]] = {
        "--host": (("server", "host"), overrides.host),
        "--port": (("server", "port"), overrides.port),
        "--workers": (("server", "workers"), overrides.workers),
        "--store": (("store", "url"), overrides.store),
    }
    for flag, (keys, value) in simple.items():
        if value is not None:
            tree.put(keys, value, _origin(flag))
    named: set[str] = set()
    for match in filter(None, map(_NAMED.fullmatch, overrides.specs)):
        name, spec = match.groups()
        if name in named:
            tree.fault_at(_origin("--spec"), f"{name} is given twice")
        named.add(name)
        _put_spec(tree, name, spec)


def unnamed_specs(overrides: Overrides) -> tuple[str, ...]:
    """The `--spec` values without a name, as written."""
    return tuple(text for text in overrides.specs if not _NAMED.fullmatch(text))


def overlay_base_urls(tree: Tree, overrides: Overrides) -> dict[str, str]:
    """Writes `--base-url` values; what is left belongs to APIs that their titles will name."""
    waiting: dict[str, str] = {}
    unnamed = bool(unnamed_specs(overrides))
    for text in overrides.base_urls:
        match = _NAMED.fullmatch(text)
        if match is None:
            tree.fault_at(_origin("--base-url"), "must be NAME=URL")
            continue
        name, url = match.groups()
        index = find_api(tree, name)
        if index is not None:
            tree.put(("apis", index, "base_url"), url, _origin(f"--base-url {name}"))
        elif unnamed:
            waiting[name] = url
        else:
            near = suggestion(name, api_names(tree))
            tree.fault_at(_origin("--base-url"), f"no API is named {name!r}{near}")
    return waiting


def _put_spec(tree: Tree, name: str, spec: str) -> None:
    origin = _origin("--spec")
    if not re.fullmatch(API_NAME, name):
        tree.fault_at(origin, f"the name {name!r} must match {API_NAME}")
        return
    index = add_api(tree, name, origin)
    if index is not None:
        tree.put(("apis", index, "spec"), spec, _origin(f"--spec {name}"))


def _origin(flag: str) -> Origin:
    return Origin(source=Source.FLAG, label=flag)
