"""Rules that a schema cannot state: across keys, inside URLs, about secrets."""

import re
from collections.abc import Iterator, Mapping

from gateway.calls import check_select
from gateway.catalog import name_fault
from gateway.config.addresses import (
    proxy_fault,
    spec_fault,
    store_fault,
    url_fault,
)
from gateway.config.model import Overrides
from gateway.config.secret import is_reference
from gateway.config.server_checks import check_server
from gateway.config.tree import Keys, Tree, revealed

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
    _check_store(tree, environ)
    _check_sse(tree)
    _check_state_key(tree, environ)
    check_server(tree, environ, listens=overrides.listens and not overrides.insecure_open)


def _check_apis(tree: Tree, environ: Mapping[str, str]) -> None:
    first: dict[str, int] = {}
    for index in range(tree.size("apis")):
        name = tree.text("apis", index, "name")
        if name is not None and first.setdefault(name, index) != index:
            tree.fault(("apis", index, "name"), f"apis[{first[name]}] has this name already")
        tree.judge(("apis", index, "spec"), spec_fault(tree.text("apis", index, "spec") or ""))
        base_url = tree.text("apis", index, "base_url")
        if base_url is not None:
            tree.judge(("apis", index, "base_url"), url_fault(base_url))
        _check_egress_proxy(tree, index, environ)
        _check_tls(tree, index)
        _check_headers(tree, index)
        _check_spec_headers(tree, index, environ)
        _check_forward_headers(tree, index)
        _check_tool_names(tree, index)
        _check_selections(tree, index)


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
        value = revealed(tree, keys, text, environ)
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


def _check_store(tree: Tree, environ: Mapping[str, str]) -> None:
    url = tree.text("store", "url")
    value = revealed(tree, ("store", "url"), url, environ) if url else None
    if value is not None:
        tree.judge(("store", "url"), store_fault(value))
    if _has_workers(tree) and value is not None and value.startswith("memory:"):
        tree.fault(("store", "url"), "every worker would have a memory of its own")


def _check_sse(tree: Tree) -> None:
    # Its stream is the session, and a POST may reach any process.
    if _has_workers(tree) and tree.at("mcp", "sse") is True:
        tree.fault(("mcp", "sse"), "works with one worker only")


def _has_workers(tree: Tree) -> bool:
    workers = tree.at("server", "workers")
    return isinstance(workers, int) and workers > 1


def _check_state_key(tree: Tree, environ: Mapping[str, str]) -> None:
    keys = ("mcp", "state_key")
    text = tree.text(*keys)
    if text is None:
        return
    if not is_reference(text):
        tree.fault(keys, "must be a secret reference, env:NAME or file:/path")
        return
    value = revealed(tree, keys, text, environ)
    lines = [line.strip() for line in (value or "").splitlines() if line.strip()]
    if value is not None and not lines:
        tree.fault(keys, f"{text} holds no key")
    if any(len(line.encode()) < LEAST_KEY_BYTES for line in lines):
        tree.fault(keys, f"{text} holds a key of less than {LEAST_KEY_BYTES} bytes")


def _check_egress_proxy(tree: Tree, index: int, environ: Mapping[str, str]) -> None:
    keys = ("apis", index, "egress_proxy")
    text = tree.text(*keys)
    url = revealed(tree, keys, text, environ) if text else None
    if url is not None and (fault := proxy_fault(url, secret=is_reference(text or ""))):
        tree.fault(keys, fault)


def _check_tls(tree: Tree, index: int) -> None:
    keys = ("apis", index, "tls")
    if tree.text(*keys, "key") and not tree.text(*keys, "cert"):
        tree.fault((*keys, "key"), "is of no use without cert")
