"""`/metrics` and `/admin/debug`: who may look, and what they are shown."""

import re
from collections.abc import AsyncIterator, Iterator
from ipaddress import ip_network
from pathlib import Path

import aiohttp
import pytest

from gateway.config import ApiConfig, ServerConfig
from gateway.config.model import ApiKey
from gateway.config.secret import read_secret
from tests.support.echo_upstream import Answer, EchoUpstream
from tests.support.serving import Served, serving, write_spec
from tests.support.telemetry import series

ADMIN = {"X-API-Key": "a-0123456789abcdef"}
CALLER = {"X-API-Key": "c-0123456789abcdef"}
KEYS = (
    ApiKey(id="ops", key=read_secret(ADMIN["X-API-Key"], {}), admin=True),
    ApiKey(id="ci", key=read_secret(CALLER["X-API-Key"], {})),
)
OPERATION = {"operationId": "getItem", "responses": {}}
PATHS = {"/items/{id}": {"get": OPERATION}}


@pytest.fixture
def upstream() -> Iterator[EchoUpstream]:
    with EchoUpstream() as upstream:
        yield upstream


@pytest.fixture
def api(tmp_path: Path, upstream: EchoUpstream) -> ApiConfig:
    return ApiConfig(name="shop", spec=write_spec(tmp_path, PATHS), base_url=upstream.url)


@pytest.fixture
async def guarded(api: ApiConfig) -> AsyncIterator[Served]:
    async with serving(api, api_keys=KEYS) as served:
        yield served


@pytest.fixture
async def open_(api: ApiConfig) -> AsyncIterator[Served]:
    async with serving(api) as served:
        yield served


async def ask(served: Served, path: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    async with aiohttp.request("GET", served.url + path, headers=headers) as answer:
        return answer.status, await answer.text()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        (ADMIN, 200),
        (CALLER, 200),
        ({"X-Forwarded-For": "192.0.2.1"}, 404),
        ({"Forwarded": "for=192.0.2.1"}, 404),
        ({"Via": "1.1 proxy"}, 404),
        ({**ADMIN, "X-Forwarded-For": "192.0.2.1"}, 200),
        ({**CALLER, "X-Forwarded-For": "192.0.2.1"}, 404),
        ({"X-API-Key": "wrong"}, 200),
    ],
    ids=[
        "this machine", "an admin here", "a caller here", "through a proxy", "RFC 7239", "via",
        "an admin far away", "a caller far away", "a wrong key here",
    ],
)  # fmt: skip
async def test_s92_metrics_are_for_this_machine_and_for_admins(
    guarded: Served, headers: dict[str, str], status: int
) -> None:
    found, body = await ask(guarded, "/metrics", headers)
    assert found == status
    assert ("ocp_gateway_build_info" in body) == (status == 200)


@pytest.mark.parametrize("public", [False, True], ids=["not public", "public"])
async def test_s92_a_believed_proxy_does_not_make_its_clients_near(
    api: ApiConfig, public: bool
) -> None:
    server = ServerConfig(trusted_proxies=(ip_network("127.0.0.0/8"),), metrics_public=public)
    async with serving(api, server=server) as served:
        status, _ = await ask(served, "/metrics", {"X-Forwarded-For": "127.0.0.1"})
    assert status == (200 if public else 404)


@pytest.mark.parametrize(
    ("headers", "status"),
    [(ADMIN, 200), (CALLER, 404), ({}, 401)],
    ids=["an admin", "a caller", "nobody"],
)
async def test_s92_the_debug_dump_is_for_admins(
    guarded: Served, headers: dict[str, str], status: int
) -> None:
    assert (await ask(guarded, "/admin/debug", headers))[0] == status


async def test_s92_where_nobody_is_asked_nobody_is_an_admin(open_: Served) -> None:
    assert (await ask(open_, "/admin/debug"))[0] == 404


async def test_metrics_are_what_has_happened(open_: Served, upstream: EchoUpstream) -> None:
    upstream.answer = Answer(status=503)
    await ask(open_, "/apis/shop/items/1")
    await ask(open_, "/apis/shop/nothing")
    await ask(open_, "/apis/none/x", {"OCP-Session": "%", "OCP-Context-ID": "c-1"})
    _, text = await ask(open_, "/metrics")
    calls = series(text, "ocp_gateway_calls_total")
    assert calls == {
        "api=shop method=GET operation=getItem outcome=answered status=503 way=proxy": 1.0,
        "api=shop method=GET operation=- outcome=unknown_operation status=- way=proxy": 1.0,
        "api=- method=- operation=- outcome=unknown_api status=- way=proxy": 1.0,
    }
    assert series(text, "ocp_gateway_upstream_requests_total") == {"api=shop result=503": 1.0}
    assert series(text, "ocp_gateway_api_up") == {"api=shop": 1.0}
    requests = series(text, "ocp_gateway_http_requests_total")
    assert requests["method=GET route=/apis/{rest} status=404"] == 2.0


async def test_s95_paths_and_ids_make_no_series(open_: Served) -> None:
    for number in range(50):
        await ask(open_, f"/apis/shop/items/{number}")
        await ask(open_, f"/apis/shop/{number}")
        await ask(open_, f"/{number}", {"User-Agent": f"agent-{number}"})
    _, before = await ask(open_, "/metrics")
    for number in range(50, 150):
        await ask(open_, f"/apis/shop/items/{number}", {"X-Request-ID": f"id-{number}"})
        await ask(open_, f"/apis/n{number}/x")
        await ask(open_, f"/tools/t{number}")
        await ask(open_, f"/contexts/c{number}")
    _, after = await ask(open_, "/metrics")

    def named(text: str) -> set[str]:
        return {line.rpartition(" ")[0] for line in text.splitlines() if line[:1] not in ("#", "")}

    new = named(after) - named(before)
    assert {line.partition("{")[0] for line in new} <= {
        "ocp_gateway_calls_total", "ocp_gateway_call_seconds_bucket",
        "ocp_gateway_call_seconds_count", "ocp_gateway_call_seconds_sum",
        "ocp_gateway_http_requests_total", "ocp_gateway_http_request_seconds_bucket",
        "ocp_gateway_http_request_seconds_count", "ocp_gateway_http_request_seconds_sum",
        "ocp_gateway_store_seconds_bucket", "ocp_gateway_store_seconds_count",
        "ocp_gateway_store_seconds_sum",
    }  # fmt: skip
    # Three new routes, one operation that is none, one kind of read: with their histograms.
    assert len(new) < 100
    assert not any(
        str(number) in line for number in range(50, 150) for line in new if "le=" not in line
    )


async def test_s94_the_debug_dump_says_where_tasks_are_and_no_values(
    guarded: Served, upstream: EchoUpstream
) -> None:
    secret = "p-5ecre7"  # noqa: S105 - of nobody
    await ask(guarded, f"/apis/shop/items/{secret}?q={secret}", {**CALLER, "X-Note": secret})
    status, body = await ask(guarded, "/admin/debug", ADMIN)
    assert status == 200
    for word in (secret, ADMIN["X-API-Key"], CALLER["X-API-Key"], "/home", "site-packages"):
        assert word not in body
    assert '"at":"telemetry/lag.py:' in body.replace(" ", "")
    assert '"circuit":"closed"' in body.replace(" ", "")


async def test_every_answer_names_its_request(open_: Served, upstream: EchoUpstream) -> None:
    async with aiohttp.request("GET", f"{open_.url}/apis/shop/items/1") as answer:
        named = answer.headers["X-Request-ID"]
    assert upstream.seen[0].value("X-Request-ID") == named
    async with aiohttp.request("GET", f"{open_.url}/nothing") as answer:
        assert len(answer.headers["X-Request-ID"]) == 32


async def test_an_apis_own_id_for_the_request_stays(open_: Served, upstream: EchoUpstream) -> None:
    upstream.answer = Answer(headers=(("X-Request-ID", "theirs"),))
    async with aiohttp.request("GET", f"{open_.url}/apis/shop/items/1") as answer:
        assert answer.headers.getall("X-Request-ID") == ["theirs"]


async def test_an_api_without_its_description_is_told_by_name(
    tmp_path: Path, upstream: EchoUpstream
) -> None:
    """Names that are not configured are not: whoever calls makes those up."""
    late = ApiConfig(name="late", spec=str(tmp_path / "none.yaml"), base_url=upstream.url)
    shop = ApiConfig(name="shop", spec=write_spec(tmp_path, PATHS), base_url=upstream.url)
    async with serving(shop, late) as served:
        assert (await ask(served, "/apis/late/x"))[0] == 503
        assert (await ask(served, "/apis/nope/x"))[0] == 404
        _, text = await ask(served, "/metrics")
    counted = [line for line in text.splitlines() if line.startswith("ocp_gateway_calls_total{")]
    told = [dict(re.findall(r'(api|method|outcome)="([^"]*)"', line)) for line in counted]
    assert told == [
        {"api": "late", "method": "GET", "outcome": "api_unavailable"},
        {"api": "-", "method": "-", "outcome": "unknown_api"},
    ]
