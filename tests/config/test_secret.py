"""Secrets are read when they are used, and are never shown."""

from pathlib import Path

import pytest

from gateway.config import Overrides, Secret, load_config
from gateway.config.secret import MAX_SECRET_BYTES, read_secret
from gateway.errors import ConfigError

SENTINEL = "hunter2-hunter2-hunter2-hunter2-x"


def test_a_file_is_read_again_at_each_use(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("old\n")
    secret = read_secret(f"file:{path}", {})
    assert secret.reveal() == "old"
    path.write_text("new\r\n")
    assert secret.reveal() == "new"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"\n", "is empty", id="empty"),
        pytest.param(b"\xff", "is not UTF-8", id="not-text"),
        pytest.param(b"x" * (MAX_SECRET_BYTES + 1), "is too large", id="too-large"),
    ],
)
def test_a_file_that_holds_no_secret_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "key").write_bytes(data)
    with pytest.raises(ConfigError, match=message):
        read_secret(f"file:{tmp_path / 'key'}", {}).reveal()


@pytest.mark.parametrize(
    "text", [f"redis://:{SENTINEL}@h", "env:STORE"], ids=["literal", "reference"]
)
def test_no_text_of_the_configuration_shows_a_secret(text: str) -> None:
    environ = {"STORE": f"redis://:{SENTINEL}@h", "KEY": SENTINEL}
    overrides = Overrides(specs=("a=x",), store=text)
    environ["OCP_GATEWAY_MCP__STATE_KEY"] = "env:KEY"
    config = load_config(None, overrides=overrides, environ=environ, cwd=Path("/srv"))
    assert config.store.url.reveal() == f"redis://:{SENTINEL}@h"
    assert config.mcp.state_keys() == (SENTINEL.encode(),)
    for shown in (repr(config), str(config.store.url), f"{config.mcp.state_key}"):
        assert SENTINEL not in shown


@pytest.mark.parametrize(
    ("store", "key"),
    [
        pytest.param(f"mysql://:{SENTINEL}@h", None, id="store-scheme"),
        pytest.param(f"redis://:{SENTINEL}@h:x", None, id="store-port"),
        pytest.param("env:STORE", None, id="referred-store"),
        pytest.param("memory://", SENTINEL, id="literal-key"),
        pytest.param("memory://", "env:SHORT", id="short-key"),
    ],
)
def test_no_fault_shows_a_secret(store: str, key: str | None) -> None:
    environ = {"STORE": f"mysql://:{SENTINEL}@h", "SHORT": SENTINEL[:20]}
    if key:
        environ["OCP_GATEWAY_MCP__STATE_KEY"] = key
    with pytest.raises(ConfigError) as caught:
        load_config(
            None,
            overrides=Overrides(specs=("a=x",), store=store),
            environ=environ,
            cwd=Path("/srv"),
        )
    assert SENTINEL[:20] not in str(caught.value)


def test_secrets_are_compared_by_identity() -> None:
    # Equality of what is shown would say that two passwords are the same.
    assert read_secret("a", {}) != read_secret("b", {})
    assert isinstance(read_secret("a", {}), Secret)
