"""What of another configuration is taken over, and what waits for a restart."""

from dataclasses import replace

import pytest

from gateway.config import ApiConfig, Config, McpConfig, ServerConfig, StoreConfig
from gateway.config.model import ApiKey
from gateway.config.secret import read_secret
from gateway.wiring.settling import named_as, settle

SHOP = ApiConfig(name="shop", spec="/shop.json")
BANK = ApiConfig(name="bank", spec="/bank.json")
RUNNING = Config(apis=(SHOP, BANK))


def key(value: str = "env:KEY") -> ApiKey:
    return ApiKey(id="a", key=read_secret(value, {"KEY": "x" * 16}))


def test_the_same_changes_nothing() -> None:
    secret = read_secret("hunter2", {})
    settings = replace(SHOP, spec_headers=(("A", secret),), egress_proxy=read_secret("env:P", {}))
    again = replace(
        SHOP,
        spec_headers=(("A", read_secret("hunter2", {})),),
        egress_proxy=read_secret("env:P", {}),
    )
    settled = settle(replace(RUNNING, apis=(settings,)), replace(RUNNING, apis=(again,)))
    assert (settled.anew, settled.gone, settled.waiting) == ((), (), ())


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"timeout_seconds": 3.0}, id="timeout"),
        pytest.param({"base_url": "http://elsewhere"}, id="base_url"),
        pytest.param({"egress_proxy": read_secret("env:P", {})}, id="a-secret"),
        pytest.param({"spec_headers": (("A", read_secret("other", {})),)}, id="a-value-in-place"),
    ],
)
def test_another_setting_makes_an_api_anew(change: dict[str, object]) -> None:
    old = replace(SHOP, spec_headers=(("A", read_secret("hunter2", {})),))
    new = replace(old, **change)  # type: ignore[arg-type]
    settled = settle(replace(RUNNING, apis=(old, BANK)), replace(RUNNING, apis=(BANK, new)))
    assert settled.anew == (new,)
    assert settled.gone == ()


def test_apis_come_and_go_by_name() -> None:
    new = ApiConfig(name="new", spec="/bank.json")
    settled = settle(RUNNING, replace(RUNNING, apis=(SHOP, new)))
    assert (settled.anew, settled.gone) == ((new,), ("bank",))
    assert settled.config.apis == (SHOP, new)


@pytest.mark.parametrize(
    ("wanted", "waiting"),
    [
        pytest.param({"server": ServerConfig(port=1)}, ("server.port",), id="port"),
        pytest.param({"server": ServerConfig(workers=3)}, ("server.workers",), id="workers"),
        pytest.param({"store": StoreConfig(max_history=1)}, ("store.max_history",), id="store"),
        pytest.param({"mcp": McpConfig(page_size=1)}, ("mcp.page_size",), id="mcp"),
        pytest.param({"api_keys": (key(),)}, ("auth.api_keys",), id="first-key"),
        pytest.param({"server": ServerConfig(allowed_hosts=("x",))}, (), id="hosts"),
        pytest.param({"server": ServerConfig(drain_seconds=1)}, (), id="drain"),
    ],
)
def test_what_cannot_change_while_it_runs_is_named_and_kept(
    wanted: dict[str, object], waiting: tuple[str, ...]
) -> None:
    asked = replace(RUNNING, **wanted)  # type: ignore[arg-type]
    settled = settle(RUNNING, asked)
    assert settled.waiting == waiting
    assert settled.config == (RUNNING if waiting else asked)


def test_keys_are_exchanged_but_never_all_taken_away() -> None:
    closed = replace(RUNNING, api_keys=(key(),))
    other = replace(RUNNING, api_keys=(key("file:/x"), key()))
    assert settle(closed, other).config.api_keys == other.api_keys
    settled = settle(closed, RUNNING)
    assert (settled.config.api_keys, settled.waiting) == (closed.api_keys, ("auth.api_keys",))


def test_apis_that_flags_name_by_their_titles_keep_their_names() -> None:
    wanted = Config(apis=(ApiConfig(spec="/shop.json"),), pending_base_urls={"shop": "http://x"})
    (api,) = named_as({"/shop.json": "shop"}, wanted).apis
    assert (api.name, api.base_url) == ("shop", "http://x")
