"""The stand itself: it comes, shows what the suite looks for, and goes without a trace."""

import asyncio
import socket
import subprocess
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conformance.endpoint import Endpoint
from tests.conformance.running import MODULE, running_stand
from tests.support.gateway_process import PATIENCE_SECONDS, child_environment
from tests.support.pages import ROOT


def test_nothing_of_it_is_left_when_it_is_told_to_end(tmp_path: Path) -> None:
    with running_stand(MODULE, tmp_path) as url:
        assert len(list(tmp_path.iterdir())) == 2

    assert [path.name for path in tmp_path.iterdir()] == ["stand.log"]
    address = (urlsplit(url).hostname, urlsplit(url).port)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)


def test_it_ends_with_a_gateway_that_cannot_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        surroundings = {"PORT": str(taken.getsockname()[1]), "TMPDIR": str(tmp_path)}
        done = subprocess.run(
            MODULE,
            cwd=ROOT,
            env={**child_environment(), **surroundings},
            capture_output=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    assert done.returncode != 0
    assert done.stdout == b""
    assert list(tmp_path.iterdir()) == []


def test_the_surroundings_do_not_change_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCP_GATEWAY_SERVER__HOST", "not a host")

    with running_stand(MODULE, tmp_path) as url:
        assert urlsplit(url).hostname == "127.0.0.1"


async def test_a_call_of_each_kind_is_answered(endpoint: Endpoint) -> None:
    kinds = {}
    for tool in ("simple_text", "image_content", "audio_content", "embedded_resource"):
        blocks = (await endpoint.call(f"test_{tool}")).result["content"]
        assert isinstance(blocks, list)
        kinds[tool] = [block["type"] for block in blocks]

    assert kinds == {
        "simple_text": ["text"],
        "image_content": ["image"],
        "audio_content": ["audio"],
        "embedded_resource": ["resource"],
    }


async def test_an_upstream_that_fails_is_an_error_result(endpoint: Endpoint) -> None:
    answer = await endpoint.call("test_error_handling")

    assert answer.result["isError"]
    assert answer.texts != [""]


async def test_progress_comes_before_the_result(endpoint: Endpoint) -> None:
    answer = await endpoint.call("test_tool_with_progress", meta={"progressToken": 0})

    reports = [notification["params"] for notification in answer.notifications]
    assert reports == [
        {"progressToken": 0, "progress": done, "total": 100} for done in (0, 50, 100)
    ]


@pytest.mark.parametrize(
    ("level", "lines"), [(None, 0), ("debug", 1), ("warning", 0)], ids=["unasked", "debug", "warn"]
)
async def test_log_lines_come_to_those_who_ask(
    endpoint: Endpoint, level: str | None, lines: int
) -> None:
    meta = {"io.modelcontextprotocol/logLevel": level} if level else {}
    answer = await endpoint.call("test_logging_tool", meta=meta)

    assert len(answer.notifications) == lines


async def test_a_tool_that_needs_the_model_says_so(endpoint: Endpoint) -> None:
    answer = await replace(endpoint, capabilities={}).call("test_missing_capability")

    assert (answer.status, answer.error["code"]) == (400, -32021)
    assert answer.error["data"] == {"requiredCapabilities": {"sampling": {}}}


async def test_a_trigger_changes_the_tools_for_those_who_listen(endpoint: Endpoint) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS), endpoint.listen(toolsListChanged=True) as heard:
        methods = []
        async for notification in heard:
            methods.append(notification["method"])
            if len(methods) == 2:
                break
            await endpoint.call("test_trigger_tool_change")

    assert methods == [
        "notifications/subscriptions/acknowledged",
        "notifications/tools/list_changed",
    ]


async def test_resources_are_read(endpoint: Endpoint) -> None:
    for uri in ("test://static-text", "test://static-binary", "test://template/123/data"):
        answer = await endpoint.ask("resources/read", {"uri": uri})
        contents = answer.result["contents"]
        assert isinstance(contents, list)
        assert [part["uri"] for part in contents] == [uri]


async def test_a_prompt_embeds_the_resource_that_is_named(endpoint: Endpoint) -> None:
    answer = await endpoint.ask(
        "prompts/get",
        {
            "name": "test_prompt_with_embedded_resource",
            "arguments": {"resourceUri": "test://example-resource"},
        },
    )

    messages = answer.result["messages"]
    assert isinstance(messages, list)
    assert [message["content"]["type"] for message in messages] == ["resource", "text"]
