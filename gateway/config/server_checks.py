"""Rules of the sections `server` and `auth` that a schema cannot state."""

import re
from collections.abc import Iterator, Mapping

from gateway.config.addresses import (
    host_fault,
    is_loopback,
    is_loopback_network,
    network_fault,
    public_host,
    url_fault,
)
from gateway.config.secret import is_reference
from gateway.config.tree import Keys, Tree, revealed

_API_KEY = re.compile(r"[!-~]{16,512}")
MAX_PORT = 65_535


def check_server(tree: Tree, environ: Mapping[str, str], *, listens: bool) -> None:
    """Adds a fault for every rule that is broken. `listens`: an open port has to be justified."""
    _check_host(tree)
    _check_public_url(tree)
    _check_trusted_proxies(tree)
    _check_probe_listen(tree)
    _check_api_keys(tree, environ)
    if listens and not tree.size("auth", "api_keys"):
        _check_open(tree)


def _check_host(tree: Tree) -> None:
    host = tree.text("server", "host")
    if host:
        tree.judge(("server", "host"), host_fault(host))


def _check_public_url(tree: Tree) -> None:
    url = tree.text("server", "public_url")
    if url is not None:
        tree.judge(("server", "public_url"), url_fault(url))


def _check_trusted_proxies(tree: Tree) -> None:
    for index in range(tree.size("server", "trusted_proxies")):
        keys = ("server", "trusted_proxies", index)
        text = tree.text(*keys)
        if text is not None and (fault := network_fault(text)):
            tree.fault(keys, fault)


def _check_probe_listen(tree: Tree) -> None:
    keys = ("server", "probe_listen")
    port = (tree.text(*keys) or "").rpartition(":")[2]
    if port.isdigit() and int(port) > MAX_PORT:
        tree.fault(keys, "has an invalid port")


def _check_api_keys(tree: Tree, environ: Mapping[str, str]) -> None:
    first: dict[str, int] = {}
    for index in range(tree.size("auth", "api_keys")):
        name = tree.text("auth", "api_keys", index, "id")
        if name is not None and first.setdefault(name, index) != index:
            tree.fault(("auth", "api_keys", index, "id"), "another key has this id already")
        keys = ("auth", "api_keys", index, "key")
        text = tree.text(*keys)
        if text is None:
            continue
        if not is_reference(text):
            tree.fault(keys, "must be a secret reference, env:NAME or file:/path")
            continue
        value = revealed(tree, keys, text, environ)
        if value is not None and not _API_KEY.fullmatch(value):
            tree.fault(keys, f"{text} must hold 16 to 512 visible ASCII characters")


def _check_open(tree: Tree) -> None:
    """Without authentication nobody beyond this machine may be let in by accident."""
    for keys, name in _exposed(tree):
        tree.fault(
            keys,
            f"{name!r} lets in callers from other machines and there is no authentication; "
            "stay on loopback, set auth.api_keys, or start with --insecure-open",
        )


def _exposed(tree: Tree) -> Iterator[tuple[Keys, str]]:
    """What names this gateway beyond loopback."""
    host = tree.text("server", "host")
    if host and host_fault(host) is None and not is_loopback(host):
        yield (("server", "host"), host)
    url = tree.text("server", "public_url")
    if url and url_fault(url) is None and not is_loopback(public_host(url)):
        yield (("server", "public_url"), public_host(url))
    for index in range(tree.size("server", "allowed_hosts")):
        allowed = tree.text("server", "allowed_hosts", index)
        if allowed and not is_loopback(allowed):
            yield (("server", "allowed_hosts", index), allowed)
    for index in range(tree.size("server", "trusted_proxies")):
        network = tree.text("server", "trusted_proxies", index)
        if network and network_fault(network) is None and not is_loopback_network(network):
            yield (("server", "trusted_proxies", index), network)
