from pathlib import Path

import pytest

from gateway.errors import ConfigError, StoreUnavailable
from gateway.policy import ANONYMOUS
from gateway.stores import MemoryStore, SqliteStore, StoreLimits, open_store
from gateway.stores.redis import RedisStore

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
        "redis+sentinel://:secret@h1,h2/service/0",
        "redis+cluster://:secret@h1",
    ],
)
def test_another_url_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ConfigError, match=r"store\.url") as refusal:
        open_store(url, LIMITS)
    assert "secret" not in str(refusal.value)
    assert "ret@h" not in str(refusal.value)


@pytest.mark.parametrize("url", ["redis+sentinel://h1,h2/service/0", "redis+cluster://h1"])
def test_what_comes_later_says_so(url: str) -> None:
    with pytest.raises(ConfigError, match="not available yet"):
        open_store(url, LIMITS)


async def test_a_closed_file_is_unavailable(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db", LIMITS)
    await store.aclose()
    with pytest.raises(StoreUnavailable):
        await store.get(ANONYMOUS, "ocp-00000000")
