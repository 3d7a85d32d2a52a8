"""`OCP_GATEWAY_*` variables."""

from pathlib import Path

import pytest

from gateway.catalog import Rule, ToolOverride
from gateway.config import Config, Overrides, load_config
from gateway.errors import ConfigError

FILE = """
apis:
  - name: my-pets
    spec: pets.yaml
    headers: {X-Env: prod}
"""


def load(
    tmp_path: Path, environ: dict[str, str], *, specs: tuple[str, ...] = (), tools: str = "{}"
) -> Config:
    path = tmp_path / "etc" / "gateway.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{FILE}    tools: {tools}\n")
    overrides = Overrides(specs=specs)
    return load_config(Path("etc/gateway.yaml"), overrides=overrides, environ=environ, cwd=tmp_path)


def faults(tmp_path: Path, environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, environ)
    return caught.value.faults


def test_a_variable_reaches_the_api_of_its_name(tmp_path: Path) -> None:
    environ = {
        "OCP_GATEWAY_APIS__MY_PETS__BASE_URL": "http://127.0.0.1:1",
        "ocp_gateway_apis__my_pets__timeout_seconds": "2.5",
    }
    (api,) = load(tmp_path, environ).apis
    assert (api.base_url, api.timeout_seconds) == ("http://127.0.0.1:1", 2.5)
    assert api.spec == str(tmp_path / "etc" / "pets.yaml")


def test_a_variable_reaches_an_api_that_a_flag_names(tmp_path: Path) -> None:
    environ = {"OCP_GATEWAY_APIS__DOGS__BASE_URL": "http://127.0.0.1:1"}
    assert load(tmp_path, environ, specs=("dogs=d.json",)).apis[1].base_url == "http://127.0.0.1:1"


def test_a_spec_variable_makes_an_api_with_its_path_from_the_working_directory(
    tmp_path: Path,
) -> None:
    _, api = load(tmp_path, {"OCP_GATEWAY_APIS__CATS__SPEC": "cats.json"}).apis
    assert (api.name, api.spec) == ("cats", str(tmp_path / "cats.json"))


def test_a_header_variable_replaces_the_one_in_the_file_whatever_its_case(tmp_path: Path) -> None:
    environ = {
        "OCP_GATEWAY_APIS__MY_PETS__HEADERS__X_ENV": "1",
        "OCP_GATEWAY_APIS__MY_PETS__HEADERS__X_NEW": "true",
    }
    (api,) = load(tmp_path, environ).apis
    assert api.headers == (("X-Env", "1"), ("x-new", "true"))


def test_a_header_for_the_description_is_a_variable_too(tmp_path: Path) -> None:
    environ = {"OCP_GATEWAY_APIS__MY_PETS__SPEC_HEADERS__X_TOKEN": "env:TOKEN", "TOKEN": "hunter2"}
    ((name, secret),) = load(tmp_path, environ).apis[0].spec_headers
    assert (name, str(secret), secret.reveal()) == ("x-token", "env:TOKEN", "hunter2")


def test_a_tool_is_addressed_as_the_file_spells_it(tmp_path: Path) -> None:
    environ = {
        "OCP_GATEWAY_APIS__MY_PETS__TOOLS__LISTPETS__HIDDEN": "true",
        "OCP_GATEWAY_APIS__MY_PETS__INCLUDE": "[{tag: pets}]",
    }
    (api,) = load(tmp_path, environ, tools="{listPets: {name: pets}}").apis
    assert api.tools == {"listPets": ToolOverride(name="pets", hidden=True)}
    assert api.include == (Rule(tag="pets"),)


def test_lists_and_mappings_are_written_as_yaml(tmp_path: Path) -> None:
    environ = {"OCP_GATEWAY_SERVER__ALLOWED_HOSTS": "[localhost, '127.0.0.1:80']"}
    assert load(tmp_path, environ).server.allowed_hosts == ("localhost", "127.0.0.1:80")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("OCP_GATEWAY_SERVER__PORT", "", id="empty-means-unset"),
        pytest.param("OCP_GATEWAY_PORT", "tcp://10.0.0.1:8080", id="service-port"),
        pytest.param("OCP_GATEWAY_SERVICE_HOST", "10.0.0.1", id="service-host"),
        pytest.param("OCP_GATEWAY_SERVICE_PORT_HTTP", "8080", id="named-service-port"),
        pytest.param("OCP_GATEWAY_PORT_8080_TCP_ADDR", "10.0.0.1", id="service-address"),
        pytest.param("OCP_GATEWAY_EU_PORT_8080_TCP", "tcp://10.0.0.1:80", id="another-service"),
        pytest.param("OTHER_SERVER__PORT", "1", id="another-program"),
    ],
)
def test_what_is_not_meant_for_the_gateway_is_left_alone(
    tmp_path: Path, name: str, value: str
) -> None:
    assert load(tmp_path, {name: value}).server.port == 8080


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        pytest.param("SERVER__PORT", "eighty", "server.port: must be an integer", id="type"),
        pytest.param("SERVER__PORT", "[", "not a YAML value", id="syntax"),
        pytest.param("SERVER_PORT", "80", "server_port: unknown key", id="one-underscore"),
        pytest.param("SERVER", "80", "server: must be a mapping", id="section"),
        pytest.param("SERVER__PORT__X", "1", "server.port: must be an integer", id="too-deep"),
        pytest.param("AUTH__JWT", "{a: 1}", "auth.jwt: not available yet", id="later"),
        pytest.param(
            "APIS__MY_PETS__CREDENTIALS__KEY",
            "env:K",
            "apis[0].credentials: not available yet",
            id="later-inside",
        ),
        pytest.param(
            "APIS__MY_PET__PROXY", "any", "no API is named my-pet (did you mean my-pets?)", id="api"
        ),
        pytest.param("APIS__MY_PETS", "x", "must be OCP_GATEWAY_APIS__NAME__KEY", id="no-key"),
        pytest.param("APIS__9__SPEC", "x", "name: must match", id="bad-api-name"),
    ],
)
def test_a_fault_names_the_variable(tmp_path: Path, name: str, value: str, fault: str) -> None:
    (line,) = faults(tmp_path, {f"OCP_GATEWAY_{name}": value})
    assert line.startswith(f"OCP_GATEWAY_{name}: ")
    assert fault in line
