"""What a user sees when something is wrong at the start: one clear line, the right exit code."""

import socket
from pathlib import Path

import pytest

from tests.support.dialogues import TRACKER
from tests.support.gateway_process import Finished, run_command

SPEC = ("--spec", f"tracker={TRACKER.description}")
BASE_URL = ("--base-url", "tracker=http://127.0.0.1:9")

BROKEN_YAML = "openapi: 3.1.0\npaths: {a: [\n"
SWAGGER_1 = '{"swagger": "1.2", "apis": []}'


def complaint(finished: Finished, code: int) -> str:
    """The one line on stderr of a command that failed with `code`."""
    assert finished.code == code, finished.stderr
    assert finished.stdout == ""
    assert "Traceback" not in finished.stderr
    (line,) = finished.stderr.strip().splitlines()
    return line


@pytest.mark.parametrize("command", ["tools", "check"])
@pytest.mark.parametrize(
    ("content", "clue"),
    [
        pytest.param(BROKEN_YAML, "line", id="broken YAML"),
        pytest.param(SWAGGER_1, "1.2", id="Swagger 1.2"),
        pytest.param("[1, 2]", "broken.yaml", id="not an object"),
        pytest.param("", "broken.yaml", id="empty"),
        pytest.param(None, "broken.yaml", id="missing file"),
    ],
)
def test_a_description_that_cannot_be_used(
    command: str, content: str | None, clue: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "broken.yaml").write_text(content)

    finished = run_command(command, "--spec", "a=broken.yaml", directory=tmp_path)

    line = complaint(finished, 2)
    assert clue in line
    assert "broken.yaml" in line


def test_a_description_url_that_nobody_answers(tmp_path: Path, closed_port: int) -> None:
    url = f"http://127.0.0.1:{closed_port}/openapi.json"

    finished = run_command("check", "--spec", f"a={url}", directory=tmp_path)

    assert url in complaint(finished, 2)


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        finished = run_command("serve", *SPEC, *BASE_URL, "--port", port, directory=tmp_path)

    assert port in complaint(finished, 1)


@pytest.mark.parametrize(
    ("arguments", "clue"),
    [
        pytest.param(("serve", "--no-such-flag"), "--no-such-flag", id="unknown flag"),
        pytest.param(("serve", *SPEC, "--port", "many"), "many", id="a port that is no number"),
        pytest.param(("serve", *SPEC, "--store", "mysql://x"), "--store", id="unknown store"),
        pytest.param(("tools", *SPEC, "--format", "xml"), "xml", id="unknown format"),
        pytest.param(("no-such-command",), "no-such-command", id="unknown command"),
        pytest.param(
            ("serve", *SPEC, *BASE_URL, "--host", "0.0.0.0"),  # noqa: S104 - refused
            "--insecure-open",
            id="open beyond loopback",
        ),
    ],
)
def test_a_bad_flag(arguments: tuple[str, ...], clue: str, tmp_path: Path) -> None:
    finished = run_command(*arguments, directory=tmp_path)

    assert finished.code == 2
    assert clue in finished.stderr
    assert "Traceback" not in finished.stderr
    assert finished.stdout == ""


def test_every_fault_of_a_configuration_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text(
        "server: {prot: 8080}\n"
        "store: {max_history: many}\n"
        "apis:\n"
        "  - name: Petstore\n"
        "    spec: petstore.yaml\n"
    )

    finished = run_command("serve", "gateway.yaml", directory=tmp_path)

    assert finished.code == 2
    for clue in ("gateway.yaml:1", "prot", "gateway.yaml:2", "max_history", "gateway.yaml:4"):
        assert clue in finished.stderr
    assert "Traceback" not in finished.stderr


def test_one_bad_operation_costs_only_itself(tmp_path: Path) -> None:
    (tmp_path / "half.yaml").write_text(
        "openapi: 3.0.3\n"
        "info: {title: Half, version: '1'}\n"
        "paths:\n"
        "  /good: {get: {operationId: good, responses: {}}}\n"
        "  /bad: {get: {operationId: bad, parameters: [{$ref: '#/components/parameters/no'}]}}\n"
    )

    checked = run_command("check", "--spec", "half=half.yaml", directory=tmp_path)
    listed = run_command("tools", "--spec", "half=half.yaml", directory=tmp_path)

    assert checked.code == 1
    assert "/paths/~1bad/get" in checked.stdout + checked.stderr
    assert listed.code == 0
    assert "good" in listed.stdout
