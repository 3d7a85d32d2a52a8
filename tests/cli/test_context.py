"""`ocp-gateway context`: what is in a store, and what is not told about it."""

import asyncio
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from os import terminal_size
from pathlib import Path

import pytest

from gateway.context import AgentContext, new_context, to_mapping
from gateway.policy import ANONYMOUS, Principal
from gateway.stores import SqliteStore, StoreLimits
from tests.cli.conftest import Cli
from tests.support.contexts import NOW, Apply, a_context_id, append
from tests.support.planting import leaks, plant

FILE = "contexts.db"
STORE = ("--store", f"sqlite:///{FILE}")
KEY = Principal(name="key:ops")


def fill(path: Path, contexts: Sequence[AgentContext], principal: Principal = ANONYMOUS) -> None:
    async def write() -> None:
        store = SqliteStore(path, StoreLimits())
        for context in contexts:
            await store.update(principal, context.context_id, _write(context))
        await store.aclose()

    asyncio.run(write())


def _write(context: AgentContext) -> Apply:
    return Apply(step=lambda _: context)


def a_context(number: int = 0, goal: str | None = None) -> AgentContext:
    context = new_context(a_context_id(number), "coder", NOW)
    recorded = append(context_id=context.context_id).apply(replace(context, current_goal=goal))
    assert recorded is not None
    return recorded


def test_a_list_is_a_table_of_all_pages(cli: Cli, tmp_path: Path) -> None:
    contexts = [a_context(number, "Ship it") for number in range(230)]
    fill(tmp_path / FILE, contexts)
    done = cli("context", "list", *STORE)
    assert (done.code, done.stderr) == (0, "")
    head, *lines = done.stdout.splitlines()
    assert head.split() == ["ID", "AGENT", "CALLS", "UPDATED", "GOAL"]
    assert [line.split()[0] for line in lines] == [context.context_id for context in contexts]
    assert lines[0].split()[1:] == ["coder", "1", contexts[0].last_updated, "Ship", "it"]


def test_a_list_for_programs_is_json_with_one_context_a_line(cli: Cli, tmp_path: Path) -> None:
    fill(tmp_path / FILE, [a_context(1), a_context(2, "Ship it")])
    done = cli("context", "list", *STORE, "--format", "json")
    first, second = json.loads(done.stdout)
    assert len(done.stdout.splitlines()) == 4
    assert first == {
        "context_id": a_context_id(1),
        "agent_type": "coder",
        "interaction_count": 1,
        "last_updated": first["last_updated"],
        "current_goal": None,
    }
    assert second["current_goal"] == "Ship it"


def test_a_terminal_cuts_long_lines(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / FILE, [a_context(1, "a goal " * 30)])
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: terminal_size((60, 24)))
    lines = cli("context", "list", *STORE).stdout.splitlines()
    assert [len(line) for line in lines][1:] == [60]
    assert lines[1].endswith("…")


@pytest.mark.parametrize(("form", "empty"), [("table", "ID"), ("json", "[]")])
def test_nothing_found_is_no_failure(cli: Cli, tmp_path: Path, form: str, empty: str) -> None:
    fill(tmp_path / FILE, [a_context()])
    done = cli("context", "list", *STORE, "--principal", "key:nobody", "--format", form)
    assert done.code == 0
    assert done.stdout.split()[0] == empty
    assert len(done.stdout.splitlines()) == 1


def test_a_context_is_shown_whole(cli: Cli, tmp_path: Path) -> None:
    context = a_context(7, "Größe 靴")
    fill(tmp_path / FILE, [context])
    done = cli("context", "show", context.context_id, *STORE)
    assert (done.code, done.stderr) == (0, "")
    assert json.loads(done.stdout) == to_mapping(context)
    assert "Größe 靴" in done.stdout


def test_contexts_belong_to_principals(cli: Cli, tmp_path: Path) -> None:
    fill(tmp_path / FILE, [a_context(1)], KEY)
    assert cli("context", "show", a_context_id(1), *STORE).code == 1
    assert cli("context", "show", a_context_id(1), *STORE, "--principal", KEY.name).code == 0


def test_a_deleted_context_is_gone(cli: Cli, tmp_path: Path) -> None:
    fill(tmp_path / FILE, [a_context(1), a_context(2)])
    done = cli("context", "delete", a_context_id(1), *STORE)
    assert (done.code, done.stdout, done.stderr) == (0, f"deleted {a_context_id(1)}\n", "")
    again = cli("context", "delete", a_context_id(1), *STORE)
    assert (again.code, again.stdout) == (1, "")
    assert again.stderr == f"ocp-gateway: anonymous has no context {a_context_id(1)}\n"
    assert cli("context", "show", a_context_id(2), *STORE).code == 0


@pytest.mark.parametrize("command", ["list", "show"])
def test_no_terminal_control_gets_out(cli: Cli, tmp_path: Path, command: str) -> None:
    goal = "a\x1b[31m\x07b\x9b2J\r\nc\u202egnp.exe\u2066\u200b\u2028\U000e0041"
    fill(tmp_path / FILE, [a_context(1, goal)])
    named = [a_context_id(1)] if command == "show" else []
    done = cli("context", command, *named, *STORE)
    assert done.code == 0
    assert all(c.isprintable() or c == "\n" for c in done.stdout)
    if command == "show":
        assert json.loads(done.stdout)["current_goal"] == goal


def test_a_long_goal_makes_no_long_table(cli: Cli, tmp_path: Path) -> None:
    goals = ["g" * 200, "g" * 201, "g" * 65_536]
    fill(tmp_path / FILE, [a_context(number, goal) for number, goal in enumerate(goals)])
    _, *lines = cli("context", "list", *STORE).stdout.splitlines()
    assert [line.split()[-1] for line in lines] == ["g" * 200, *["g" * 199 + "…"] * 2]
    whole = json.loads(cli("context", "list", *STORE, "--format", "json").stdout)
    assert [summary["current_goal"] for summary in whole] == goals


def test_the_store_may_come_from_the_configuration(cli: Cli, tmp_path: Path) -> None:
    fill(tmp_path / FILE, [a_context(1)])
    (tmp_path / "gateway.yaml").write_text(f"store: {{url: 'sqlite:///{FILE}'}}\n")
    for arguments in (("list",), ("show", a_context_id(1))):
        assert a_context_id(1) in cli("context", *arguments, "gateway.yaml").stdout


def test_the_store_may_come_from_the_environment(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / FILE, [a_context(1)])
    monkeypatch.setenv("OCP_GATEWAY_STORE__URL", f"sqlite:///{FILE}")
    assert a_context_id(1) in cli("context", "list").stdout


@pytest.mark.parametrize("command", [("list",), ("show", "ocp-1"), ("delete", "ocp-1")])
def test_looking_makes_no_store(cli: Cli, tmp_path: Path, command: tuple[str, ...]) -> None:
    done = cli("context", *command)
    assert (done.code, done.stdout) == (1, "")
    assert done.stderr.startswith("ocp-gateway: there is no store: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        pytest.param(
            ("list", "--store", "memory://"), 2, "only the process that holds", id="memory"
        ),
        pytest.param(("list", "--store", "ftp://x"), 2, "must be memory://", id="scheme"),
        pytest.param(("list", "--store", "env:NOT_SET"), 2, "env:NOT_SET is not set", id="secret"),
        pytest.param(("show", "a_b"), 2, "1 to 64 letters, digits and hyphens", id="id"),
        pytest.param(("list", "missing.yaml"), 2, "missing.yaml: No such file", id="no-file"),
        pytest.param(("list", "--store", "sqlite:///text"), 1, "not a SQLite", id="other-file"),
    ],
)
def test_what_cannot_be_looked_into_is_one_line(
    cli: Cli, tmp_path: Path, arguments: tuple[str, ...], code: int, line: str
) -> None:
    (tmp_path / "text").write_text("nothing of SQLite's")
    done = cli("context", *arguments)
    assert (done.code, done.stdout) == (code, "")
    assert done.stderr.count("\n") == 1
    assert line in done.stderr
    assert (tmp_path / "text").read_text() == "nothing of SQLite's"


@pytest.mark.parametrize("where", ["flag", "file", "reference"])
@pytest.mark.parametrize(
    "url",
    [
        pytest.param("redis://ops:{}@127.0.0.1:1/0", id="refused"),
        pytest.param("redis://ops:{}@127.0.0.1:1/zero", id="database"),
        pytest.param("redis://ops:{}@127.0.0.1:1/0?x=1", id="option"),
        pytest.param("redis://ops:{}#@127.0.0.1:1/0", id="fragment"),
        pytest.param("redis://ops:{}@127.0.0.1:port/0", id="port"),
        pytest.param("redis://ops:{}@[127.0.0.1/0", id="bracket"),
        pytest.param("redis+sentinel://:{}@127.0.0.1:x/", id="sentinel"),
        pytest.param("redis+cluster://:{}@127.0.0.1:x/", id="cluster"),
        pytest.param("postgres://ops:{}@127.0.0.1/", id="scheme"),
    ],
)
def test_a_password_is_never_shown(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, where: str
) -> None:
    url = url.format(plant("password"))
    monkeypatch.setenv("STORE_URL", url)
    reference = url if where == "file" else "env:STORE_URL"
    (tmp_path / "gateway.yaml").write_text(json.dumps({"store": {"url": reference}}))
    given = ("--store", url) if where == "flag" else ("gateway.yaml",)
    done = cli("context", "list", *given)
    assert done.code in (1, 2)
    assert done.stderr.count("\n") == 1
    assert leaks([done.stdout, done.stderr]) == []
