"""Secrets in every place that can hold one come up only where they were sent to."""

import asyncio
import json
import re
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.support.echo_upstream import EchoUpstream, Seen
from tests.support.gateway_process import GatewayProcess, run_command
from tests.support.ocp import decode_session
from tests.support.plain_http import send_raw_any
from tests.support.planting import Evidence, leaks, plant, planted_in
from tests.support.redis_server import RedisServer, start_redis
from tests.support.secret_traffic import (
    CONTEXT,
    Traffic,
    everything,
    private_descriptions,
    raw_requests,
    reload_descriptions,
    speak_stdio,
    vault,
)

VAULT = Path(__file__).parents[1] / "support" / "descriptions" / "vault.yaml"
RUNS = ("sqlite-text", "redis-json")
OPERATORS = {
    "SPEC_TOKEN": f"Bearer {plant('spec-token')}",
    "STATE_KEY": plant("state-key") * 3,
    "UNUSED": plant("environment"),
}
"""Of whoever runs the gateway; no answer may hold any of them."""
REDIS_USER = ("--user", "gateway", "on", f">{plant('store-password')}", "~*", "&*", "+@all")
TO_THE_API = re.compile(r"arg-|proxy-|static-|forwarded")
FROM_THE_API = re.compile(r"up-")


def configuration(directory: Path, api: EchoUpstream, specs: EchoUpstream) -> Path:
    """A file with everything that holds a secret, by reference where that is possible."""
    key = f"key={plant('spec-query')}"
    private = {"spec_headers": {"Authorization": "env:SPEC_TOKEN"}, "base_url": api.url}
    closed = "http://127.0.0.1:1"
    apis = [
        {
            "name": "vault",
            "spec": str(VAULT),
            "base_url": api.url,
            "proxy": "any",
            "ocp_headers": "full",
            "timeout_seconds": 0.3,
            "headers": {"X-Static": plant("static-header")},
            "forward_headers": ["X-Pass"],
            "tools": {"failToPost": {"set": {"id": "cut"}}},
        },
        {"name": "down", "spec": f"{specs.url}/good?{key}", **private, "base_url": closed},
        *(
            {"name": name, "spec": f"{specs.url}/{name}?{key}", **private}
            for name in ("broken", "moved", "gone")
        ),
    ]
    path = directory / "gateway.yaml"
    settings = {
        "store": {"url": "env:STORE_URL"},
        "server": {"max_body_bytes": 100_000},
        "mcp": {"context_argument": True, "state_key": "env:STATE_KEY"},
        "apis": apis,
    }
    path.write_text(json.dumps(settings))
    return path


@pytest.fixture(scope="module", params=RUNS)
def evidence(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Evidence]:
    """What one gateway has left behind after all of the traffic."""
    directory = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        api, specs = (stack.enter_context(EchoUpstream()) for _ in range(2))
        answers = private_descriptions()
        go_on = threading.Event()
        api.answer = lambda seen: vault(seen, go_on)
        specs.answer = lambda seen: answers[seen.target.partition("?")[0]]
        redis = None
        if request.param == "redis-json":
            redis = stack.enter_context(start_redis(directory / "redis", *REDIS_USER))
        for name, value in {**OPERATORS, "STORE_URL": store_url(redis)}.items():
            patch.setenv(name, value)
        found = run(directory, configuration(directory, api, specs), specs, redis)
        go_on.set()
        for seen in api.seen:
            sent, session = split(seen)
            found.sent.append(sent)
            found.sessions.append(session)
        yield found


def store_url(redis: RedisServer | None) -> str:
    if redis is None:
        return "sqlite:///.ocp-gateway/contexts.db"
    return f"redis://gateway:{plant('store-password')}@127.0.0.1:{redis.port}/0"


def run(directory: Path, config: Path, specs: EchoUpstream, redis: RedisServer | None) -> Evidence:
    """All ways in, by a server and by commands; then whatever lies about is read."""
    work = directory / "work"
    work.mkdir()
    form = "json" if redis else "text"
    options = (str(config), "--log-format", form, "--log-level", "debug")
    with GatewayProcess(*options, directory=work) as gateway:
        found = asyncio.run(drive(gateway, specs, redis))
        speak_stdio(config, work, found)
        for command in (("check",), ("tools",), ("context", "list")):
            done = run_command(*command, str(config), directory=work)
            found.overview[" ".join(command)] = done.stdout + done.stderr
        gateway.stop()
        found.log += gateway.log
    files = [path for place in (work, directory / "redis") for path in place.rglob("*")]
    found.stored = {
        str(path.relative_to(directory)): path.read_bytes()
        for path in files
        if path.is_file() and path.name != "gateway.log"
    }
    return found


async def drive(
    gateway: GatewayProcess, specs: EchoUpstream, redis: RedisServer | None
) -> Evidence:
    async with traffic_to(gateway) as traffic:
        await everything(traffic)
        for raw in raw_requests(gateway.url):
            await asyncio.to_thread(send_raw_any, gateway.url, raw)
        await asyncio.to_thread(reload_descriptions, gateway, specs)
        await traffic.look_around()
        if redis is not None:
            redis.kill()
            await traffic.call("getItem", {"id": plant("arg-store-down")})
            await traffic.look_around()
            redis.start()
        await traffic.look_around()
        return traffic.evidence


@asynccontextmanager
async def traffic_to(gateway: GatewayProcess) -> AsyncIterator[Traffic]:
    # Redirects and cookies of an API are the caller's affair, and this caller keeps none.
    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(cookie_jar=jar) as http:
        yield Traffic(gateway=gateway, http=http)


def split(seen: Seen) -> tuple[str, str]:
    """A request without its OCP headers, and these, the session as JSON."""
    ocp = [pair for pair in seen.headers if pair[0].lower().startswith("ocp")]
    rest = [pair for pair in seen.headers if pair not in ocp]
    sent = f"{seen.request_line}\n{rest}\n{seen.body.decode('latin-1')}"
    sessions = [decode_session(value) for value in seen.values("OCP-Session")]
    return sent, f"{ocp}\n{json.dumps(sessions)}"


def test_the_traffic_has_been_there(evidence: Evidence) -> None:
    """Or everything below would hold of nothing."""
    arrived = planted_in(*evidence.sent)
    assert {"arg-path", "arg-query", "arg-header", "arg-cookie", "arg-body"} <= arrived
    assert {"proxy-path", "proxy-query", "proxy-body", "proxy-cookie", "arg-mcp"} <= arrived
    assert {"static-header", "forwarded", "arg-stdio"} <= arrived
    assert any('"api_endpoint": "GET /items/{id}"' in session for session in evidence.sessions)
    assert any(b"/items/{id}" in data for data in evidence.stored.values())
    assert "the context store" in evidence.log or "description of" in evidence.log
    assert CONTEXT in evidence.overview["/contexts"]
    asked = {secret for said in evidence.said for secret in said.own}
    assert len(asked) > 60


def test_no_secret_is_in_the_log(evidence: Evidence) -> None:
    assert leaks([evidence.log]) == []


def test_no_secret_is_in_the_store_or_beside_it(evidence: Evidence) -> None:
    found = {name: leaks([data]) for name, data in evidence.stored.items()}
    assert {name: secrets for name, secrets in found.items() if secrets} == {}


def test_no_secret_is_in_what_apis_are_told_of_the_conversation(evidence: Evidence) -> None:
    assert leaks(evidence.sessions) == []


def test_apis_get_what_was_meant_for_them(evidence: Evidence) -> None:
    assert [name for name in leaks(evidence.sent) if not TO_THE_API.match(name)] == []


def test_what_the_gateway_says_of_itself_holds_no_secret(evidence: Evidence) -> None:
    found = {what: leaks([text]) for what, text in evidence.overview.items()}
    assert {what: secrets for what, secrets in found.items() if secrets} == {}


def test_an_answer_holds_no_secret_of_others(evidence: Evidence) -> None:
    found = [
        (said.what, name)
        for said in evidence.said
        for name in leaks([said.text], said.own)
        if not FROM_THE_API.match(name)
    ]
    assert found == []


def test_the_proxy_alone_hands_an_api_s_cookies_on(evidence: Evidence) -> None:
    found = [said.what for said in evidence.said if "up-cookie" in planted_in(said.text)]
    assert [what for what in found if not what.partition(" ")[2].startswith("/apis/vault/")] == []


def test_the_sweep_finds_what_a_database_holds(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (v BLOB)")
        connection.execute("INSERT INTO t VALUES (?)", (plant("found").encode(),))
    connection.close()
    assert leaks([path.read_bytes()]) == ["found"]
