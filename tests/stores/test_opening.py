from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ConfigError, StoreUnavailable
from gateway.policy import ANONYMOUS
from gateway.stores import MemoryStore, SqliteStore, StoreLimits, open_store
from gateway.stores.redis import RedisStore
from gateway.stores.redis_urls import Credentials, RedisAddress, Shape, Tls, read_redis_url

NOBODY = Credentials(None, None)
LIMITS = StoreLimits()


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("memory://", MemoryStore),
        ("sqlite:///a.db", SqliteStore),
        ("redis://localhost", RedisStore),
        ("redis://user:secret@localhost:6380/2", RedisStore),
        ("rediss://localhost:6380/2", RedisStore),
        ("redis://localhost/", RedisStore),
        ("rediss://localhost/0?ssl_ca_certs=/etc/ca.pem", RedisStore),
        ("redis+sentinel://h1,h2/service/0", RedisStore),
        ("rediss+sentinel://h1,h2/service", RedisStore),
        ("redis+cluster://h1:7000,h2:7000", RedisStore),
        ("rediss+cluster://h1", RedisStore),
    ],
)
async def test_the_scheme_names_the_store(url: str, kind: type[object]) -> None:
    store = open_store(url, LIMITS)
    assert isinstance(store, kind)
    await store.aclose()


async def test_a_sqlite_path_is_relative_or_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for url in ("sqlite:///.state/a%20b.db", f"sqlite:///{tmp_path}/absolute.db"):
        store = open_store(url, LIMITS)
        await store.ping()
        await store.aclose()
    assert databases_below(tmp_path) == [".state/a b.db", "absolute.db"]


def databases_below(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*.db"))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "memory",
        "sqlite://",
        "sqlite:///",
        "sqlite://a.db",
        "sqlite:///a.db?mode=ro",
        "postgresql://user:secret@localhost",
        "redis://user:secret@localhost:port/0",
        "redis://127.0.0.1:1/secret",
        "redis://127.0.0.1:1/1/2",
        "redis://127.0.0.1:1/-1",
        "redis://127.0.0.1:1/0?secret=bar",
        "redis://127.0.0.1:1/0?prefix=a&secret",
        "redis://127.0.0.1:1/0?secret",
        "redis://127.0.0.1:1?db=1",
        "redis://127.0.0.1:1?socket_timeout=60",
        "redis://127.0.0.1:1?ssl_ca_certs=/secret",
        "redis://127.0.0.1:1/0#secret",
        "redis://:sec#ret@h/0",
        "redis://:sec?ret@h/0",
        "rediss://127.0.0.1:1/0?secret=bar",
        "rediss://127.0.0.1:1/0?ssl_cert_reqs=none",
        "rediss://127.0.0.1:1/0?ssl_keyfile=",
        "redis://h1,h2/0",
        "redis://h:65536",
        "redis://h?prefix=secret{}",
        "redis://h?prefix=secret*",
        "redis://h?prefix=",
        "redis://h?prefix=a&prefix=b",
        "redis://h?sentinel_password=secret",
        "redis+sentinel://:secret@h1,h2",
        "redis+sentinel://:secret@h1,h2/",
        "redis+sentinel://:secret@/service",
        "redis+sentinel://:secret@h1,/service",
        "redis+sentinel://:secret@h1:port/service",
        "redis+sentinel://h1/ser vice",
        "redis+sentinel://:1/secret@h1/service",
        "redis+sentinel://h1/service/secret",
        "redis+sentinel://h1/service?ssl_ca_certs=/secret",
        "redis+cluster://",
        "redis+cluster://:secret@",
        "redis+cluster://:secret@h1/1",
        "redis+cluster://:secret@h1/service",
        "redis+cluster://:sec/ret@h1",
        "redis+other://:secret@h1",
    ],
)
def test_another_url_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ConfigError, match=r"store\.url") as refusal:
        open_store(url, LIMITS)
    assert "secret" not in str(refusal.value)
    assert "ret@h" not in str(refusal.value)


NODES = (("h1", 26379), ("::1", 7000))
LOGIN = Credentials("gateway", "p@ss")


def address(
    shape: Shape,
    nodes: tuple[tuple[str, int], ...],
    *,
    login: Credentials = NOBODY,
    sentinel_login: Credentials | None = None,
    service: str = "",
    database: int = 0,
    tls: Tls | None = None,
    prefix: str = "ocp-gateway:",
) -> RedisAddress:
    return RedisAddress(
        shape=shape,
        nodes=nodes,
        service=service,
        database=database,
        credentials=login,
        sentinel_credentials=sentinel_login or login,
        tls=tls,
        prefix=prefix,
    )


SYSTEM = Tls(ca=None, certificate=None, key=None)
ADDRESSES = {
    "redis://": address("single", (("localhost", 6379),)),
    "redis://h/2": address("single", (("h", 6379),), database=2),
    "redis://:pw@h:1": address("single", (("h", 1),), login=Credentials(None, "pw")),
    "rediss://h?ssl_ca_certs=/ca.pem&prefix=a.b/c-": address(
        "single", (("h", 6379),), tls=replace(SYSTEM, ca="/ca.pem"), prefix="a.b/c-"
    ),
    "redis+sentinel://gateway:p%40ss@h1,[::1]:7000/my.service-1/3?prefix=team:": address(
        "sentinel", NODES, login=LOGIN, service="my.service-1", database=3, prefix="team:"
    ),
    "rediss+sentinel://h1/s": address("sentinel", (("h1", 26379),), service="s", tls=SYSTEM),
    "redis+sentinel://gateway:p%40ss@h1/s?sentinel_password=": address(
        "sentinel", (("h1", 26379),), service="s", login=LOGIN, sentinel_login=NOBODY
    ),
    "redis+sentinel://h1/s?sentinel_username=u&sentinel_password=w": address(
        "sentinel",
        (("h1", 26379),),
        service="s",
        sentinel_login=Credentials("u", "w"),
    ),
    "redis+cluster://gateway:p%40ss@h1:7000,h2:7001": address(
        "cluster", (("h1", 7000), ("h2", 7001)), login=LOGIN
    ),
    "rediss+cluster://h1/0?ssl_certfile=/c.pem&ssl_keyfile=/k.pem": address(
        "cluster", (("h1", 6379),), tls=replace(SYSTEM, certificate="/c.pem", key="/k.pem")
    ),
}


@pytest.mark.parametrize(("url", "said"), ADDRESSES.items(), ids=ADDRESSES.keys())
def test_a_redis_url_says_where_and_as_whom(url: str, said: RedisAddress) -> None:
    assert read_redis_url(url) == said


@given(st.text())
def test_any_text_is_an_address_or_a_fault_that_does_not_repeat_it(text: str) -> None:
    for scheme in ("redis", "rediss+sentinel", "redis+cluster"):
        try:
            said = repr(read_redis_url(f"{scheme}://:s3cr3t{text}"))
        except ConfigError as fault:
            said = str(fault)
        assert "s3cr3t" not in said


async def test_a_closed_file_is_unavailable(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db", LIMITS)
    await store.aclose()
    with pytest.raises(StoreUnavailable):
        await store.get(ANONYMOUS, "ocp-00000000")
