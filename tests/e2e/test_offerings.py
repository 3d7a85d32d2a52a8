"""Resources, prompts and completion through the official MCP clients of both generations."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.dialogues import TRACKER
from tests.support.echo_upstream import Answer, EchoUpstream
from tests.support.gateway_process import GatewayProcess, run_command
from tests.support.mcp_conversation import (
    Call,
    Conversation,
    Http,
    Stdio,
    Step,
    converse_legacy,
    converse_modern,
    meta_of,
)

CONFIG = """\
store: {{url: "memory://"}}
apis:
  - name: tracker
    spec: {spec}
    base_url: {url}
    max_response_bytes: 2000
    tools: {{issuesComment: {{hidden: true}}}}
mcp:
  resources:
    - {{uri: "docs://rules", name: rules, file: rules.md}}
    - {{uriTemplate: "tracker://{{project}}/{{state}}", name: issues, tool: issuesList}}
    - {{uri: "tracker://gone", name: gone, tool: nope}}
  prompts:
    - name: judge
      description: Judge a project
      arguments:
        - {{name: project, required: true, completions: [gate, garden]}}
      messages:
        - {{role: user, resource: "docs://rules"}}
        - {{role: user, text: "Judge {{{{project}}}}"}}
    - name: comment
      description: Comment, and see what came of it
      arguments: [{{name: project, required: true}}, {{name: number}}, {{name: text}}]
      messages: [{{role: assistant, tool: issuesComment}}]
"""
READ: tuple[Step, ...] = (
    ("list_resources",),
    ("list_resource_templates",),
    ("read_resource", "docs://rules"),
    ("read_resource", "tracker://a%20b/open"),
    ("read_resource", "tracker://gate/lost"),
    ("read_resource", "tracker://gone"),
    ("read_resource", "docs://other"),
    ("read_resource", "gateway://apis/tracker/openapi"),
    ("read_resource", "gateway://tools/issuesList"),
)
ASKED: tuple[Step, ...] = (
    ("list_prompts",),
    ("get_prompt", "judge", {"project": "{{project}}"}),
    ("get_prompt", "comment", {"project": "gate", "number": "7", "text": "12"}),
    ("get_prompt", "judge", {}),
    ("complete", {"name": "judge"}, {"name": "project", "value": "GA"}),
    ("complete", {"uri": "tracker://{project}/{state}"}, {"name": "state", "value": ""}),
)


class Setting:
    def __init__(self, directory: Path, echo: EchoUpstream, url: str) -> None:
        self.directory = directory
        self.echo = echo
        self.url = url

    async def converse(
        self, client: str, *steps: Step, calls: tuple[Call, ...] = ()
    ) -> Conversation:
        era, _, way = client.partition(" over ")
        converse = converse_modern if era == "2026-07-28" else converse_legacy
        stdio = Stdio(arguments=("stdio", "c.yaml"), directory=self.directory)
        door = stdio if way == "stdio" else Http(url=self.url)
        conversation = await converse(door, calls, steps)
        assert conversation.revision == era
        return conversation


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    directory = tmp_path_factory.mktemp("offerings")
    (directory / "rules.md").write_text("# Be kind")
    with EchoUpstream() as echo:
        text = CONFIG.format(spec=TRACKER.description, url=echo.url)
        (directory / "c.yaml").write_text(text)
        with GatewayProcess("c.yaml", directory=directory) as gateway:
            yield Setting(directory, echo, gateway.url)


CLIENTS = ("2026-07-28 over http", "2025-11-25 over http", "2026-07-28 over stdio",
           "2025-11-25 over stdio")  # fmt: skip


def contents(result: Mapping[str, object]) -> Mapping[str, object]:
    items = result["contents"]
    assert isinstance(items, list)
    (found,) = items
    assert isinstance(found, dict)
    return found


def messages(result: Mapping[str, object]) -> list[dict[str, dict[str, object]]]:
    items = result["messages"]
    assert isinstance(items, list)
    return items


def listed(result: Mapping[str, object], member: str, key: str) -> list[object]:
    items = result[member]
    assert isinstance(items, list)
    return [item[key] for item in items]


@pytest.mark.parametrize("client", CLIENTS)
async def test_what_is_offered_is_listed_and_read(setting: Setting, client: str) -> None:
    seen = len(setting.echo.seen)
    found = await setting.converse(client, *READ)
    resources, templates, rules, issues, lost, gone, other, api, tool = found.offered

    uris = listed(resources, "resources", "uri")
    own = ["gateway://context"] if "2025" in client else []
    assert uris == ["docs://rules", "tracker://gone", "gateway://apis/tracker/openapi", *own]
    assert listed(templates, "resourceTemplates", "uriTemplate")[0] == "tracker://{project}/{state}"
    assert contents(rules) == {
        "uri": "docs://rules", "mimeType": "text/markdown", "text": "# Be kind"
    }  # fmt: skip
    assert json.loads(str(contents(issues)["text"]))["request_line"] == (
        "GET /projects/a%20b/issues?state=open HTTP/1.1"
    )
    assert "io.opencontextprotocol/context-id" in meta_of(issues)
    missing = -32602 if "2026" in client else -32002
    assert lost == {"code": -32602, "data": {"uri": "tracker://gate/lost"}}
    assert gone == {"code": -32603, "data": {"uri": "tracker://gone"}}
    assert other == {"code": missing, "data": {"uri": "docs://other"}}
    assert json.loads(str(contents(api)["text"]))["info"]["title"] == "Issue Tracker"
    assert str(contents(tool)["text"]).startswith("# issuesList\n")
    assert len(setting.echo.seen) == seen + 1


@pytest.mark.parametrize("client", CLIENTS)
async def test_prompts_are_had_and_completed(setting: Setting, client: str) -> None:
    seen = len(setting.echo.seen)
    found = await setting.converse(client, *ASKED)
    prompts, judged, commented, bare, projects, states = found.offered

    assert listed(prompts, "prompts", "name") == ["judge", "comment"]
    said = [message["content"] for message in messages(judged)]
    assert "# Be kind" in str(said[0]["resource"])
    assert said[1]["text"] == "Judge {{project}}"
    (comment,) = messages(commented)
    line = json.loads(str(comment["content"]["text"]))["request_line"]
    assert line == "POST /projects/gate/issues/7/comments HTTP/1.1"
    assert bare["code"] == -32602
    assert projects["completion"] == {"values": ["gate", "garden"], "total": 2, "hasMore": False}
    assert states["completion"] == {"values": ["open", "closed"], "total": 2, "hasMore": False}

    (request,) = setting.echo.seen[seen:]
    assert json.loads(request.body) == {"text": "12"}
    assert "issuesComment" not in found.names


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_large_result_is_read_on_as_a_resource(setting: Setting, client: str) -> None:
    whole = json.dumps([{"number": n, "title": "é" * 20} for n in range(200)], ensure_ascii=False)
    head = (("Content-Type", "application/json"),)
    setting.echo.answer = Answer(headers=head, body=whole.encode())
    try:
        text, rest = await _read_on(setting, client)
    finally:
        setting.echo.answer = Answer()
    assert (text, rest) == (whole, None)


async def _read_on(setting: Setting, client: str) -> tuple[str, object]:
    """A large result, called for, linked, and read on in the same conversation."""
    call = Call(tool="issuesList", arguments={"project": "gate"})
    found = await setting.converse(client, ("read_linked",), calls=(call,))
    (result,), (read,) = found.results, found.offered
    assert "gateway://results/" in str(result["content"])
    return str(contents(read)["text"]), read.get("_meta", {}).get("io.opencontextprotocol/rest")  # type: ignore[attr-defined]


def test_what_cannot_work_is_told_by_check(setting: Setting) -> None:
    done = run_command("check", "c.yaml", directory=setting.directory)
    assert "warning: c.yaml:12: resource gone: there is no tool 'nope'" in done.stdout
    assert done.code == 0
