"""A configuration that is refused says why, and not what is secret in it."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.conftest import DEMO, Cli
from tests.support.planting import leaks, plant


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"base_url": f"http://user:{plant('base-url')}@127.0.0.1:1"}, id="base-url"),
        pytest.param({"base_url": f"http://127.0.0.1:1/?k={plant('query')}"}, id="query"),
        pytest.param({"spec": f"http://user:{plant('spec')}@127.0.0.1:1/x.json"}, id="spec"),
        pytest.param({"spec": f"http://127.0.0.1:1/x.json?key={plant('key')}"}, id="spec-query"),
        pytest.param({"headers": {"X": f"{plant('header')}\n"}}, id="header"),
        pytest.param({"headers": {"X": [plant("listed")]}}, id="header-type"),
        pytest.param({"spec_headers": {"X": f"{plant('spec-header')}\n"}}, id="spec-header"),
        pytest.param({"egress_proxy": f"http://u:{plant('egress')}@127.0.0.1:1"}, id="egress"),
        pytest.param({"credentials": {"key": plant("credential")}}, id="credential"),
        pytest.param({"tools": {"listBooks": {"set": {"x": plant("set")}}}}, id="fixed-argument"),
    ],
)
@pytest.mark.parametrize("command", ["check", "tools"])
def test_secrets_stay_secret(
    cli: Cli, tmp_path: Path, command: str, settings: Mapping[str, object]
) -> None:
    api = {"name": "library", "spec": str(DEMO), "base_url": "http://127.0.0.1:1", **settings}
    (tmp_path / "gateway.yaml").write_text(json.dumps({"apis": [api]}))
    done = cli(command, "gateway.yaml")
    assert done.stdout or done.stderr
    assert leaks([done.stdout, done.stderr]) == []


@pytest.mark.parametrize("key", ["OCP_GATEWAY_STORE__URL", "OCP_GATEWAY_APIS__LIBRARY__BASE_URL"])
def test_secrets_of_the_environment_stay_secret(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv(key, f"gopher://user:{plant('environment')}@127.0.0.1")
    done = cli("tools", "--spec", f"library={DEMO}")
    assert done.code == 2
    assert leaks([done.stdout, done.stderr]) == []


@pytest.mark.parametrize("flag", ["--base-url", "--spec"])
def test_secrets_of_flags_stay_secret(cli: Cli, flag: str) -> None:
    url = f"http://user:{plant('flag')}@127.0.0.1:1/"
    done = cli("tools", "--spec", f"library={DEMO}", flag, f"other={url}")
    assert done.code == 2
    assert leaks([done.stdout, done.stderr]) == []
