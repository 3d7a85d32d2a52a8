"""Rules that a schema cannot state: across keys, inside URLs, about secrets."""

import re
from collections.abc import Iterator, Mapping

from gateway.calls import check_select
from gateway.catalog import name_fault
from gateway.config.addresses import (
    host_fault,
    is_loopback,
    public_host,
    spec_fault,
    store_fault,
    url_fault,
)
from gateway.config.model import Overrides
from gateway.config.secret import is_reference, read_secret
from gateway.config.tree import Keys, Tree
from gateway.errors import ConfigError

LEAST_KEY_BYTES = 32
# RFC 9110 7.6.1 and 7.2, RFC 9112 6: the connection's own, so the gateway's to write.
_CONNECTION = {
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
# What makes a request conditional or partial (RFC 9110 13.1, 14.2): the fetcher writes it.
_CONDITIONS = {
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "range",
}
# RFC 9110 5.5: visible Latin-1 with spaces and tabs inside.
_HEADER_VALUE = re.compile(r"[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?|")


def check_tree(tree: Tree, overrides: Overrides, environ: Mapping[str, str]) -> None:
    """Adds a fault for every rule that is broken; wrong types are the schema's business."""
    _check_apis(tree, environ)
    _check_host(tree)
    _check_store(tree, environ)
    _check_state_key(tree, environ)
    _check_public_url(tree)
    if overrides.listens and not overrides.insecure_open:
        _check_open(tree)


def _check_apis(tree: Tree, environ: Mapping[str, str]) -> None:
    first: dict[str, int] = {}
    for index in range(tree.size("apis")):
        name = tree.text("apis", index, "name")
        if name is not None and first.setdefault(name, index) != index:
            tree.fault(("apis", index, "name"), f"apis[{first[name]}] has this name already")
        _check_url(
            tree, ("apis", index, "spec"), spec_fault(tree.text("apis", index, "spec") or "")
        )
        base_url = tree.text("apis", index, "base_url")
        if base_url is not None:
            _check_url(tree, ("apis", index, "base_url"), url_fault(base_url))
        _check_headers(tree, index)
        _check_spec_headers(tree, index, environ)
        _check_forward_headers(tree, index)
        _check_tool_names(tree, index)
        _check_selections(tree, index)


def _check_url(tree: Tree, keys: Keys, fault: str | None) -> None:
    if fault is not None:
        tree.fault(keys, fault)


def _check_headers(tree: Tree, index: int) -> None:
    for keys, value in _named_headers(tree, ("apis", index, "headers")):
        if is_reference(value):
            # Sent as it stands it would be a puzzle upstream and never the secret.
            tree.fault(keys, "secret references are not available yet here (outgoing credentials)")
        elif not _HEADER_VALUE.fullmatch(value):
            tree.fault(keys, "is not a valid header value")


def _check_spec_headers(tree: Tree, index: int, environ: Mapping[str, str]) -> None:
    for keys, text in _named_headers(tree, ("apis", index, "spec_headers")):
        if str(keys[-1]).lower() in _CONDITIONS:
            tree.fault(keys, "is written by the gateway itself")
        value = _revealed(tree, keys, text, environ)
        if value is not None and not _HEADER_VALUE.fullmatch(value):
            tree.fault(keys, "is not a valid header value")


def _named_headers(tree: Tree, section: Keys) -> Iterator[tuple[Keys, str]]:
    """Every header of a section that has text for a value; faults of the names are added."""
    headers = tree.at(*section)
    seen: set[str] = set()
    for name, value in headers.items() if isinstance(headers, dict) else ():
        keys = (*section, name)
        if _is_reserved(name):
            tree.fault(keys, "is written by the gateway itself")
        if name.lower() in seen:
            tree.fault(keys, "is written twice")
        seen.add(name.lower())
        if isinstance(value, str):
            yield keys, value


def _check_forward_headers(tree: Tree, index: int) -> None:
    for item in range(tree.size("apis", index, "forward_headers")):
        name = tree.text("apis", index, "forward_headers", item)
        if name is not None and _is_reserved(name):
            tree.fault(("apis", index, "forward_headers", item), "is written by the gateway itself")


def _check_tool_names(tree: Tree, index: int) -> None:
    """What is wrong with the names that tools are given, whatever the description has."""
    tools = tree.at("apis", index, "tools")
    first: dict[str, str] = {}
    for tool in tools if isinstance(tools, dict) else ():
        keys = ("apis", index, "tools", tool, "name")
        name = tree.text(*keys)
        if name is None:
            continue
        if fault := name_fault(name):
            tree.fault(keys, fault)
        elif first.setdefault(name, tool) != tool:
            tree.fault(keys, f"{first[name]} is given this name already")


def _check_selections(tree: Tree, index: int) -> None:
    tools = tree.at("apis", index, "tools")
    for tool in tools if isinstance(tools, dict) else ():
        keys = ("apis", index, "tools", tool, "select")
        expression = tree.text(*keys)
        if expression and (fault := check_select(expression)):
            tree.fault(keys, fault)


def _is_reserved(name: str) -> bool:
    folded = name.lower().replace("_", "-")
    return folded in _CONNECTION or folded == "gateway-interaction" or folded.startswith("ocp-")


def _check_host(tree: Tree) -> None:
    host = tree.text("server", "host")
    if host:
        _check_url(tree, ("server", "host"), host_fault(host))


def _check_store(tree: Tree, environ: Mapping[str, str]) -> None:
    url = tree.text("store", "url")
    value = _revealed(tree, ("store", "url"), url, environ) if url else None
    if value is not None:
        _check_url(tree, ("store", "url"), store_fault(value))


def _check_state_key(tree: Tree, environ: Mapping[str, str]) -> None:
    keys = ("mcp", "state_key")
    text = tree.text(*keys)
    if text is None:
        return
    if not is_reference(text):
        tree.fault(keys, "must be a secret reference, env:NAME or file:/path")
        return
    value = _revealed(tree, keys, text, environ)
    lines = [line.strip() for line in (value or "").splitlines() if line.strip()]
    if value is not None and not lines:
        tree.fault(keys, f"{text} holds no key")
    if any(len(line.encode()) < LEAST_KEY_BYTES for line in lines):
        tree.fault(keys, f"{text} holds a key of less than {LEAST_KEY_BYTES} bytes")


def _revealed(tree: Tree, keys: Keys, text: str, environ: Mapping[str, str]) -> str | None:
    try:
        return read_secret(text, environ).reveal()
    except ConfigError as error:
        tree.fault(keys, str(error))
        return None


def _check_public_url(tree: Tree) -> None:
    url = tree.text("server", "public_url")
    if url is not None:
        _check_url(tree, ("server", "public_url"), url_fault(url))


def _check_open(tree: Tree) -> None:
    """Without authentication nobody beyond this machine may be let in by accident."""
    exposed: list[tuple[Keys, str]] = []
    host = tree.text("server", "host")
    if host and host_fault(host) is None and not is_loopback(host):
        exposed.append((("server", "host"), host))
    url = tree.text("server", "public_url")
    if url and url_fault(url) is None and not is_loopback(public_host(url)):
        exposed.append((("server", "public_url"), public_host(url)))
    for index in range(tree.size("server", "allowed_hosts")):
        allowed = tree.text("server", "allowed_hosts", index)
        if allowed and not is_loopback(allowed):
            exposed.append((("server", "allowed_hosts", index), allowed))
    for keys, name in exposed:
        tree.fault(
            keys,
            f"{name!r} lets in callers from other machines and there is no authentication; "
            "stay on loopback, or start with --insecure-open",
        )
