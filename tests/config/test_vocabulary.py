"""The one table of keys: what it documents is what the loader does."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gateway.config import SCHEMA, ApiConfig, Config, McpConfig, Overrides, load_config
from gateway.config.document import read_document
from gateway.config.model import DEFAULT_STORE
from gateway.errors import ConfigError

CWD = Path("/srv")


def leaves(
    schema: object = SCHEMA, keys: tuple[str, ...] = ()
) -> Iterator[tuple[str, dict[str, object]]]:
    """Every key as `server.port` or `apis[].name`, with its schema."""
    assert isinstance(schema, Mapping)
    for name, inner in schema.get("properties", {}).items():
        if "default" in inner or "description" in inner:
            yield ".".join((*keys, name)), inner
        elif "items" in inner:
            yield from leaves(inner["items"], (*keys, f"{name}[]"))
        else:
            yield from leaves(inner, (*keys, name))


LEAVES = dict(leaves())
LATER = {key: schema for key, schema in LEAVES.items() if "x-later" in schema}


def document(key: str, value: object) -> bytes:
    """A configuration that sets one key."""
    api: dict[str, object] = {"name": "a", "spec": "x"}
    root: dict[str, object] = {"apis": [api]}
    *sections, last = key.split(".")
    place = root
    for section in sections:
        place = api if section == "apis[]" else place.setdefault(section, {})  # type: ignore[assignment]
    place[last] = value
    return yaml.safe_dump(root).encode().replace(b": off\n", b": 'off'\n")


def load(data: bytes, tmp_path: Path) -> Config:
    (tmp_path / "c.yaml").write_bytes(data)
    return load_config(tmp_path / "c.yaml", overrides=Overrides(), environ={}, cwd=CWD)


def faults_of(data: bytes, tmp_path: Path) -> tuple[str, ...]:
    try:
        load(data, tmp_path)
    except ConfigError as error:
        return error.faults
    return ()


def test_it_is_a_valid_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("key", [key for key in LEAVES if "default" in LEAVES[key]])
def test_each_default_may_be_written(key: str, tmp_path: Path) -> None:
    assert load(document(key, LEAVES[key]["default"]), tmp_path).apis[0].name == "a"


def patterns(
    schema: object = SCHEMA, keys: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Mapping[str, str]]]:
    """Every place whose schema has a pattern; `[]`, `KEY` and `*` are any item, key and member."""
    assert isinstance(schema, Mapping)
    if "pattern" in schema:
        yield keys, schema
    inside = {"[]": "items", "KEY": "propertyNames", "*": "additionalProperties"}
    found = {key: schema[word] for key, word in inside.items() if word in schema}
    for key, inner in (found | schema.get("properties", {})).items():
        if isinstance(inner, Mapping):
            yield from patterns(inner, (*keys, key))


def configured(keys: tuple[str, ...], text: str) -> dict[str, object]:
    """A configuration with a text at one place."""
    value: object = text
    for at in reversed(range(len(keys))):
        if keys[at] == "[]":
            value = [value]
        elif keys[at] == "KEY":
            value = {str(value): "x"}
        else:
            value = {keys[at]: value}
        if keys[:at] == ("apis", "[]") and isinstance(value, dict):
            value = {"name": "a", "spec": "x", **value}
    assert isinstance(value, dict)
    return value


PATTERNS = {".".join(keys): (keys, schema) for keys, schema in patterns()}
FITTING = {
    "server.allowed_hosts.[]": "localhost:80",
    "server.allowed_origins.[]": "https://app.example.org",
    "server.probe_listen": "0.0.0.0:8081",
    "auth.api_keys.[].id": "ci",
    "apis.[].name": "pets",
    "apis.[].tools.*.mcp_headers.*": "Region",
    "apis.[].headers.KEY": "X-Env",
    "apis.[].spec_headers.KEY": "X-Env",
    "apis.[].forward_headers.[]": "X-Env",
    "apis.[].include.[].method": "get",
    "apis.[].exclude.[].method": "get",
    "mcp.resources.[].name": "logo",
    "mcp.prompts.[].name": "greet",
    "mcp.prompts.[].arguments.[].name": "who",
}


def test_every_pattern_is_one_for_the_whole_text() -> None:
    assert PATTERNS.keys() == FITTING.keys()
    for _, schema in PATTERNS.values():
        assert schema["pattern"].startswith("^")
        assert schema["pattern"].endswith("$")


@pytest.mark.parametrize("key", FITTING)
@pytest.mark.parametrize("end", ["", "\n", "\r", " ", "\x00", "é"], ids=ascii)
def test_nothing_follows_what_fits_a_pattern(key: str, end: str, tmp_path: Path) -> None:
    keys, schema = PATTERNS[key]
    data = yaml.safe_dump(configured(keys, FITTING[key] + end), allow_unicode=True).encode()
    found = [fault for fault in faults_of(data, tmp_path) if fault.endswith(schema["x-fault"])]
    assert len(found) == bool(end)


@pytest.mark.parametrize("key", LATER)
def test_each_later_key_is_refused_when_set(key: str, tmp_path: Path) -> None:
    feature = LATER[key]["x-later"]
    with pytest.raises(ConfigError) as caught:
        load(document(key, {"set": "to something"}), tmp_path)
    (fault,) = caught.value.faults
    where = key.replace("[]", "[0]")
    assert fault.endswith(f": {where}: not available yet in this version ({feature})")


@pytest.mark.parametrize("key", [key for key in LEAVES if key not in LATER])
def test_each_supported_key_is_described(key: str) -> None:
    assert LEAVES[key]["description"]


def test_the_documented_defaults_are_the_real_ones() -> None:
    config = load_config(None, overrides=Overrides(specs=("a=x",)), environ={}, cwd=CWD)
    sections = {
        "server": asdict(config.server),
        "store": asdict(config.store),
        "apis[]": asdict(ApiConfig(spec="x")),
        "mcp": asdict(McpConfig()),
    }
    real = {
        f"{section}.{name}": value
        for section, values in sections.items()
        for name, value in values.items()
        if name not in {"name", "spec", "validates", "tls"}
    }
    special: dict[str, object] = {
        "store.url": DEFAULT_STORE,
        "apis[].headers": {},
        "apis[].spec_headers": {},
        "apis[].forward_headers": [],
        "apis[].overlays": [],
        "apis[].include": [],
        "apis[].exclude": [],
        "apis[].ocp_headers": "auto",
        "apis[].max_body_bytes": None,
        "server.allowed_hosts": [],
        "server.allowed_origins": [],
        "server.trusted_proxies": [],
        "mcp.resources": [],
        "mcp.prompts": [],
    }
    for key, value in real.items():
        assert LEAVES[key]["default"] == special.get(key, value), key


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(["server", "apis", "store", "mcp", "auth", "host", "url", "name", "spec"])
documents = st.dictionaries(names, st.dictionaries(names, json_values) | st.lists(json_values))


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_give_a_tree_or_a_configuration_error(data: bytes) -> None:
    with suppress(ConfigError):
        read_document(data, "c.yaml")


@settings(max_examples=50)
@given(documents)
def test_any_document_gives_a_config_or_a_configuration_error(
    tmp_path_factory: pytest.TempPathFactory, value: object
) -> None:
    data = yaml.safe_dump(value, allow_unicode=True).encode("utf-8", "surrogatepass")
    faults = faults_of(data, tmp_path_factory.getbasetemp())
    assert all(fault.isprintable() for fault in faults)
