"""A ConfigMap that changes under a running gateway, swapped as the kubelet does it."""

import asyncio
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import aiohttp
import pytest

from tests.support.echo_upstream import EchoUpstream
from tests.support.gateway_process import PATIENCE_SECONDS, GatewayProcess, wait_until
from tests.support.manifests import read_directory
from tests.support.pages import ROOT

Files = Mapping[str, str]


class ConfigMap:
    """A mounted directory: names are links into `..data`, which is itself one, and is replaced."""

    def __init__(self, directory: Path, files: Files) -> None:
        self._directory = directory
        self._versions = 0
        directory.mkdir()
        self.mount(files)
        for name in files:
            (directory / name).symlink_to(Path("..data") / name)

    def mount(self, files: Files) -> None:
        self._versions += 1
        version = self._directory / f"..version_{self._versions}"
        version.mkdir()
        for name, content in files.items():
            (version / name).write_text(content)
        link = self._directory / "..data_tmp"
        link.symlink_to(version.name)
        os.replace(link, self._directory / "..data")  # noqa: PTH105 - what the kubelet calls


@pytest.fixture
def files(echo: EchoUpstream) -> Files:
    """Those of the sidecar, whose API is `echo`."""
    shipped = read_directory(ROOT / "config" / "kubernetes" / "sidecar").config_files
    moved = {
        "http://library.library.svc:9000": echo.url,
        "0.0.0.0:8081": "127.0.0.1:0",
        "sqlite:////var/lib/ocp-gateway/": "sqlite:///",
    }
    config = shipped["gateway.yaml"]
    for old, new in moved.items():
        assert old in config
        config = config.replace(old, new)
    return {**shipped, "gateway.yaml": config}


@pytest.fixture
def mounted(files: Files, tmp_path: Path) -> ConfigMap:
    return ConfigMap(tmp_path / "etc", files)


@pytest.fixture
def gateway(mounted: ConfigMap, tmp_path: Path) -> Iterator[GatewayProcess]:
    with GatewayProcess(str(tmp_path / "etc" / "gateway.yaml"), directory=tmp_path) as process:
        yield process


async def await_tools(
    expected: set[str], gateway: GatewayProcess, http: aiohttp.ClientSession
) -> None:
    names: set[str] = set()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while names != expected:
            async with http.get(f"{gateway.url}/tools") as answer:
                names = {tool["name"] for tool in (await answer.json())["tools"]}
            await asyncio.sleep(0.01)


async def test_a_changed_description_is_taken_by_the_running_pod(
    gateway: GatewayProcess, mounted: ConfigMap, files: Files, http: aiohttp.ClientSession
) -> None:
    described = files["library.yaml"].replace("getBook", "fetchBook")
    mounted.mount({**files, "library.yaml": described})

    await await_tools({"listBooks", "fetchBook"}, gateway, http)


async def test_a_changed_configuration_is_taken_by_the_running_pod(
    gateway: GatewayProcess, mounted: ConfigMap, files: Files, http: aiohttp.ClientSession
) -> None:
    more = "\n    tools: {getBook: {hidden: true}}\n"
    mounted.mount({**files, "gateway.yaml": files["gateway.yaml"].rstrip() + more})

    await await_tools({"listBooks"}, gateway, http)


async def test_a_bad_configuration_leaves_the_running_one(
    gateway: GatewayProcess, mounted: ConfigMap, files: Files, http: aiohttp.ClientSession
) -> None:
    mounted.mount({**files, "gateway.yaml": files["gateway.yaml"] + "\nnonsense: true\n"})

    wait_until(lambda: "nonsense" in gateway.log, "the fault in the log")
    await await_tools({"listBooks", "getBook"}, gateway, http)
    async with http.get(f"{gateway.url}/readyz") as answer:
        assert (answer.status, (await answer.json())["status"]) == (200, "degraded")
