"""`ocp-gateway check`: 0 clean, 1 something was skipped, 2 unusable."""

from pathlib import Path

import pytest

from tests.cli.conftest import DEMO, Cli
from tests.cli.test_tools import BROKEN


def test_a_clean_description_is_summed_up(cli: Cli) -> None:
    done = cli("check", "--spec", str(DEMO))
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout == "library: 9 tools, 0 errors, 0 warnings\n"


def test_each_skipped_operation_is_a_line_with_its_pointer(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text(BROKEN)
    done = cli("check", "--spec", "b=broken.yaml", "--spec", f"library={DEMO}")
    skipped, *summary = done.stdout.splitlines()
    assert done.code == 1
    assert skipped.startswith("error: b: /paths/~1bad/get")
    assert summary == ["b: 1 tool, 1 error, 0 warnings", "library: 9 tools, 0 errors, 0 warnings"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param("paths: {a: [\n", "broken.yaml", id="broken-yaml"),
        pytest.param("swagger: '1.2'", "Swagger 1.2", id="swagger"),
        pytest.param("[]", "broken.yaml", id="not-an-object"),
    ],
)
def test_an_unusable_description_is_one_line(
    cli: Cli, tmp_path: Path, text: str, fault: str
) -> None:
    (tmp_path / "broken.yaml").write_text(text)
    done = cli("check", "--spec", "b=broken.yaml")
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.startswith("ocp-gateway: ")
    assert done.stderr.count("\n") == 1
    assert fault in done.stderr


def test_every_fault_of_the_configuration_is_a_line(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("server:\n  prot: 1\nstore:\n  url: mysql://\n")
    done = cli("check", "c.yaml")
    assert done.code == 2
    assert done.stderr.splitlines() == [
        "ocp-gateway: c.yaml:2: server.prot: unknown key (did you mean port?)",
        (
            "ocp-gateway: c.yaml:4: store.url: must be memory://, sqlite:///PATH, redis://..., "
            "rediss://... or a secret reference"
        ),
    ]


def test_a_public_address_is_no_concern_of_check(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(
        f"server: {{host: 0.0.0.0}}\napis: [{{name: library, spec: {DEMO}}}]\n"
    )
    assert cli("check", "c.yaml").code == 0
