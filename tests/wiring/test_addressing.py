"""Where a configured API is, who may be reached there, and what a reload may not change."""

import socket
from collections.abc import Mapping

import pytest

from gateway.config import ApiConfig
from gateway.errors import DescriptionError
from gateway.openapi import read_description
from gateway.upstreams import AddressScope, ContextUpdates, OcpHeaders, Upstream
from gateway.wiring.addressing import find_upstream, place_api

HERE = "http://127.0.0.1:9"


async def found(
    own: Mapping[str, str] | None = None,
    *,
    root: str = HERE,
    running: Upstream | None = None,
    spec: str = "/shop.json",
    base_url: str | None = None,
    ocp_headers: OcpHeaders | None = None,
    context_updates: ContextUpdates = ContextUpdates.DECLARED,
) -> Upstream:
    """The upstream of a description with a `GET` of each path in `own`, at that server."""
    paths = {path: {"get": {"servers": [{"url": url}]}} for path, url in (own or {}).items()}
    document = {"openapi": "3.1.0", "servers": [{"url": root}], "paths": paths}
    api = ApiConfig(
        name="shop",
        spec=spec,
        base_url=base_url,
        headers=(("X-Env", "prod"),),
        ocp_headers=ocp_headers,
        context_updates=context_updates,
    )
    return await find_upstream(api, place_api(api, read_description(document, api="shop")), running)


async def test_an_operation_elsewhere_is_an_upstream_of_its_own() -> None:
    shop = await found({"/here": HERE, "/v2": f"{HERE}/v2", "/up": "http://127.0.0.1:8/up"})
    assert shop.of("GET", "/here") is shop
    assert shop.of("GET", "/v2").base_url == f"{HERE}/v2"
    assert shop.of("GET", "/v2").headers == shop.headers == (("X-Env", "prod"),)
    place = shop.of("GET", "/up")
    assert (place.base_url, place.headers) == ("http://127.0.0.1:8/up", ())
    assert (shop.ocp_headers, place.ocp_headers) == (OcpHeaders.FULL, OcpHeaders.IDS)


@pytest.mark.parametrize("updates", ContextUpdates)
async def test_only_the_api_s_own_origin_may_change_contexts(updates: ContextUpdates) -> None:
    own = {"/v2": f"{HERE}/v2", "/up": "http://127.0.0.1:8/up"}
    shop = await found(own, context_updates=updates)
    assert shop.context_updates is shop.of("GET", "/v2").context_updates is updates
    assert shop.of("GET", "/up").context_updates is ContextUpdates.OFF


@pytest.mark.parametrize(
    ("root", "spec", "base_url", "own", "others"),
    [
        pytest.param(HERE, "/shop.json", HERE, AddressScope.ANY, None, id="base_url"),
        pytest.param(HERE, "/a", None, AddressScope.NEAR, AddressScope.NEAR, id="near, by a file"),
        pytest.param(
            "http://no.invalid", "/a", None, AddressScope.NEAR, AddressScope.PUBLIC, id="by a file"
        ),
        pytest.param(
            "http://no.invalid",
            "http://8.8.8.8/a",
            None,
            AddressScope.PUBLIC,
            AddressScope.PUBLIC,
            id="by a public URL",
        ),
        pytest.param(
            "http://no.invalid",
            "http://no.invalid/a",
            None,
            AddressScope.NEAR,
            AddressScope.PUBLIC,
            id="by its own URL",
        ),
        pytest.param(
            HERE, "http://localhost/a", None, AddressScope.NEAR, AddressScope.NEAR, id="from inside"
        ),
    ],
)
async def test_what_a_description_names_has_a_bounded_reach(
    root: str,
    spec: str,
    base_url: str | None,
    own: AddressScope,
    others: AddressScope | None,
) -> None:
    shop = await found({"/up": "http://up.invalid"}, root=root, spec=spec, base_url=base_url)
    assert shop.scope is own
    scopes = {place.scope for place in shop.elsewhere.values()}
    assert scopes == ({others} if others else set())


async def test_a_description_from_a_private_name_may_lead_inside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def getaddrinfo(host: str, *_: object, **__: object) -> list[object]:
        address = "10.0.0.1" if host == "specs.test" else "192.0.2.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    shop = await found(root="http://shop.test", spec="http://specs.test/a")
    assert shop.scope is AddressScope.NEAR


async def test_a_description_from_a_public_place_cannot_lead_inside() -> None:
    with pytest.raises(DescriptionError, match="base_url for shop"):
        await found(root="http://10.0.0.1", spec="http://8.8.8.8/a.json")


class TestWhileItRuns:
    async def test_paths_may_change_and_known_origins_may_be_used(self) -> None:
        running = await found({"/up": "http://127.0.0.1:8/up"})
        again = await found(
            {"/up": "http://127.0.0.1:8/v2", "/new": "http://127.0.0.1:8", "/v2": f"{HERE}/v2"},
            running=running,
        )
        assert again.of("GET", "/up").base_path == "/v2"

    @pytest.mark.parametrize("path", ["/up", "/new"])
    async def test_no_operation_goes_to_a_new_origin(self, path: str) -> None:
        running = await found({"/up": "http://127.0.0.1:8/up"})
        with pytest.raises(DescriptionError, match=r"127\.0\.0\.1:7, which is new"):
            await found({path: "http://127.0.0.1:7"}, running=running)

    async def test_the_api_itself_stays(self) -> None:
        running = await found({"/up": "http://127.0.0.1:8"})
        with pytest.raises(DescriptionError, match="lead elsewhere"):
            await found(root="http://127.0.0.1:8", running=running)

    async def test_its_share_of_the_context_stays(self) -> None:
        running = await found(ocp_headers=OcpHeaders.OFF)
        again = await found({"/up": f"{HERE}/up"}, running=running)
        assert again.of("GET", "/up").ocp_headers is OcpHeaders.OFF
