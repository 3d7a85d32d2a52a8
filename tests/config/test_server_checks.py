"""Who may listen where, by which keys, and behind which proxies."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.config import Overrides, load_config
from gateway.errors import ConfigError

KEYS = "auth: {api_keys: [{id: ci, key: env:CI_KEY}, {id: ops, key: env:OPS_KEY, admin: true}]}\n"
ENVIRON = {"CI_KEY": "k-0123456789abcdef", "OPS_KEY": "k-fedcba9876543210", "SHORT": "k-0123"}
PROXY = "http://user:secret@proxy:3128"


def faults(text: str, tmp_path: Path) -> Sequence[str]:
    path = tmp_path / "gateway.yaml"
    path.write_text(text)
    environ = {**ENVIRON, "PROXY": PROXY}
    try:
        load_config(path, overrides=Overrides(specs=("x=x.yaml",)), environ=environ, cwd=tmp_path)
    except ConfigError as error:
        return error.faults
    return ()


def test_with_keys_it_may_listen_anywhere(tmp_path: Path) -> None:
    text = f"server: {{host: 0.0.0.0, trusted_proxies: [10.0.0.0/8], allowed_hosts: [a.b]}}\n{KEYS}"
    assert not faults(text, tmp_path)


@pytest.mark.parametrize(
    "server",
    [
        "host: 0.0.0.0",
        "public_url: https://a.example",
        "allowed_hosts: [a.b]",
        "trusted_proxies: [10.0.0.0/8]",
    ],
)
def test_without_keys_it_may_not(server: str, tmp_path: Path) -> None:
    (fault,) = faults(f"server: {{{server}}}\n", tmp_path)
    assert "set auth.api_keys, or start with --insecure-open" in fault


def test_proxies_on_this_machine_let_nobody_else_in(tmp_path: Path) -> None:
    assert not faults("server: {trusted_proxies: [127.0.0.0/8, '::1']}\n", tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("server: {trusted_proxies: [127.0.0.1/8]}", "without host bits"),
        ("server: {trusted_proxies: [proxy.example]}", "must be an address or a network"),
        ("server: {probe_listen: '127.0.0.1:99999'}", "has an invalid port"),
        ("server: {probe_listen: '8081'}", "must be HOST:PORT"),
        ("server: {allowed_origins: [example.org]}", "must be an origin such as"),
        ("server: {allowed_origins: ['https://example.org/']}", "must be an origin such as"),
        ("auth: {api_keys: [{id: a, key: k-0123456789abcdef}]}", "must be a secret reference"),
        ("auth: {api_keys: [{id: a, key: env:SHORT}]}", "env:SHORT must hold 16 to 512 visible"),
        ("auth: {api_keys: [{id: a, key: env:NOWHERE}]}", "env:NOWHERE is not set"),
        (
            "auth: {api_keys: [{id: a, key: env:CI_KEY}, {id: a, key: env:OPS_KEY}]}",
            "another key has this id already",
        ),
        (
            "auth: {api_keys: [{id: a, key: env:CI_KEY, requests_per_second: 5}]}",
            "not available yet in this version (rate limits)",
        ),
        ("apis: [{name: a, spec: a, tls: {key: a.pem}}]", "is of no use without cert"),
        ("apis: [{name: a, spec: a, egress_proxy: 'https://p:1'}]", "must be http://HOST:PORT"),
        ("apis: [{name: a, spec: a, egress_proxy: 'http://p:1/x'}]", "must be http://HOST:PORT"),
        (
            f"apis: [{{name: a, spec: a, egress_proxy: '{PROXY}'}}]",
            "must be a secret reference when it carries a password",
        ),
        ("apis: [{name: a, spec: a, max_concurrency: 0}]", "max_concurrency"),
        ("apis: [{name: a, spec: a, validate: {requests: strict}}]", "validate.requests"),
    ],
)
def test_what_is_wrong_is_said(text: str, said: str, tmp_path: Path) -> None:
    (fault,) = faults(text, tmp_path)
    assert said in fault
    assert "secret@" not in fault
    assert "k-0123" not in fault


def test_a_proxys_password_stays_a_secret(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text("apis: [{name: a, spec: a.yaml, egress_proxy: env:PROXY}]\n")
    config = load_config(path, overrides=Overrides(), environ={"PROXY": PROXY}, cwd=tmp_path)
    proxy = config.apis[0].egress_proxy
    assert proxy is not None
    assert proxy.reveal() == PROXY
    assert "secret" not in repr(config)


def test_paths_of_certificates_start_at_the_file(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text("apis: [{name: a, spec: a.yaml, tls: {ca: ca.pem, cert: /etc/c.pem}}]\n")
    config = load_config(path, overrides=Overrides(), environ={}, cwd=Path("/"))
    assert config.apis[0].tls.ca == str(tmp_path / "ca.pem")
    assert config.apis[0].tls.cert == "/etc/c.pem"
    assert config.apis[0].tls.key is None
