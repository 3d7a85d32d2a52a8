"""From the configured APIs to catalogs and upstreams."""

from pathlib import Path

import pytest

from gateway.config import ApiConfig, Config
from gateway.errors import DescriptionError
from gateway.upstreams import OcpHeaders, ProxyReach
from gateway.wiring import load_catalog
from gateway.wiring.loading import Loaded, load_apis
from tests.support.serving import write_spec
from tests.support.tools import DONE

PATHS = {"/x": {"get": {"operationId": "getX", "responses": DONE}}}


async def load(*apis: ApiConfig) -> list[Loaded]:
    return list(await load_apis(Config(apis=apis)))


async def test_an_upstream_has_what_its_configuration_says(tmp_path: Path) -> None:
    api = ApiConfig(
        name="shop",
        spec=write_spec(tmp_path, PATHS),
        base_url="HTTP://127.0.0.1:9000/v1/",
        headers=(("X-Env", "prod"),),
        forward_headers=frozenset({"x-tenant"}),
        proxy=ProxyReach.ANY,
        timeout_seconds=3.0,
        retries=2,
        max_response_bytes=10,
        max_body_bytes=20,
    )
    (loaded,) = await load(api)
    upstream = loaded.upstream
    assert upstream is not None
    assert (upstream.name, upstream.base_url) == ("shop", "http://127.0.0.1:9000/v1")
    assert (upstream.headers, upstream.forward_headers) == (api.headers, api.forward_headers)
    assert (upstream.proxy, upstream.timeout_seconds, upstream.retries) == (ProxyReach.ANY, 3.0, 2)
    assert (upstream.max_response_bytes, upstream.max_body_bytes) == (10, 20)


@pytest.mark.parametrize(
    ("base_url", "said", "sent"),
    [
        ("http://127.0.0.1:1", None, OcpHeaders.FULL),
        ("http://localhost:1", None, OcpHeaders.FULL),
        ("http://[::1]:1/x", None, OcpHeaders.FULL),
        ("http://10.1.2.3", None, OcpHeaders.FULL),
        ("http://192.168.0.9:8080", None, OcpHeaders.FULL),
        ("http://8.8.8.8", None, OcpHeaders.IDS),
        ("http://no-such-host.invalid", None, OcpHeaders.IDS),
        ("http://8.8.8.8", OcpHeaders.FULL, OcpHeaders.FULL),
        ("http://127.0.0.1:1", OcpHeaders.OFF, OcpHeaders.OFF),
    ],
)
async def test_the_whole_context_stays_on_private_networks_unless_told_otherwise(
    tmp_path: Path, base_url: str, said: OcpHeaders | None, sent: OcpHeaders
) -> None:
    spec = write_spec(tmp_path, PATHS)
    (loaded,) = await load(ApiConfig(name="shop", spec=spec, base_url=base_url, ocp_headers=said))
    assert loaded.upstream is not None
    assert loaded.upstream.ocp_headers is sent


@pytest.mark.parametrize(
    ("servers", "base_url"),
    [
        ([{"url": "http://127.0.0.1:9/v2/"}], "http://127.0.0.1:9/v2"),
        (
            [{"url": "http://{h}:9", "variables": {"h": {"default": "127.0.0.1"}}}],
            "http://127.0.0.1:9",
        ),
        ([{"url": "/v1"}, {"url": "http://127.0.0.1:9"}], "http://127.0.0.1:9"),
    ],
    ids=["absolute", "with a variable", "after a relative one"],
)
async def test_the_first_usable_server_is_the_base_url(
    tmp_path: Path, servers: list[object], base_url: str
) -> None:
    (loaded,) = await load(
        ApiConfig(name="shop", spec=write_spec(tmp_path, PATHS, servers=servers))
    )
    assert loaded.upstream is not None
    assert loaded.upstream.base_url == base_url


async def test_a_file_without_an_absolute_server_needs_a_base_url(tmp_path: Path) -> None:
    (loaded,) = await load(ApiConfig(name="shop", spec=write_spec(tmp_path, PATHS)))
    assert loaded.upstream is None
    assert "base_url for shop" in str(loaded.fault)


async def test_one_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    good = write_spec(tmp_path, PATHS, servers=[{"url": "http://127.0.0.1:9"}])
    bad = tmp_path / "bad.json"
    bad.write_text("{")
    first, second = await load(
        ApiConfig(name="bad", spec=str(bad)), ApiConfig(name="good", spec=good)
    )
    assert isinstance(first.fault, DescriptionError)
    assert (first.catalog, first.upstream) == (None, None)
    assert second.catalog is not None
    assert list(second.catalog.tools) == ["getX"]


async def test_the_catalog_alone_needs_no_server_but_every_description(tmp_path: Path) -> None:
    spec = write_spec(tmp_path, PATHS)
    apis = (ApiConfig(name="a", spec=spec), ApiConfig(name="b", spec=spec))
    catalog = await load_catalog(Config(apis=apis))
    assert list(catalog.view().tools) == ["aGetX", "bGetX"]

    missing = ApiConfig(name="c", spec=str(tmp_path / "none.json"))
    with pytest.raises(DescriptionError, match=r"none\.json"):
        await load_catalog(Config(apis=(*apis, missing)))


async def test_an_api_takes_its_name_from_the_title(tmp_path: Path) -> None:
    servers = [{"url": "http://127.0.0.1:9"}]
    (loaded,) = await load(
        ApiConfig(spec=write_spec(tmp_path, PATHS, name="My Shop", servers=servers))
    )
    assert loaded.catalog is not None
    assert loaded.upstream is not None
    assert loaded.catalog.api == loaded.upstream.name == "my-shop"


async def test_one_without_a_name_that_cannot_be_read_is_fatal(tmp_path: Path) -> None:
    with pytest.raises(DescriptionError):
        await load(ApiConfig(spec=str(tmp_path / "none.json")))
