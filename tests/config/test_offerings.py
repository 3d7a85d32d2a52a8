"""`mcp.resources` and `mcp.prompts`: what they come to, and every fault with its line."""

from base64 import b64encode
from pathlib import Path

import pytest

from gateway.catalog import (
    ImagePart,
    PromptArgument,
    PromptMessage,
    ResourcePart,
    TextPart,
    ToolPart,
)
from gateway.config import Config, Overrides, load_config
from gateway.config.offered import MAX_OFFERED_BYTES
from gateway.errors import ConfigError

PNG = b"\x89PNG\r\n\x1a\n\xff"
HEAD = "apis: [{name: a, spec: x}]\nmcp:\n"


def load(directory: Path, text: str, environ: dict[str, str] | None = None) -> Config:
    directory.mkdir(exist_ok=True)
    (directory / "c.yaml").write_text(HEAD + text)
    (directory / "logo.png").write_bytes(PNG)
    (directory / "notes.md").write_text("# Notes")
    (directory / "odd.bin").write_bytes(b"\xff\xfe")
    (directory / "plain").write_text("text")
    cwd = directory.parent
    return load_config(directory / "c.yaml", overrides=Overrides(), environ=environ or {}, cwd=cwd)


def faults(directory: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(directory, text)
    return [fault.partition("c.yaml:")[2] for fault in caught.value.faults]


class TestResources:
    def test_every_key_arrives(self, tmp_path: Path) -> None:
        text = """\
  resources:
    - uriTemplate: "test://items/{id}"
      name: item
      title: One item
      description: By its number
      mimeType: application/json
      tool: getItem
"""
        (found,) = load(tmp_path / "d", text).mcp.resources
        assert found.template is not None
        assert (found.uri, found.template.names) == ("test://items/{id}", ("id",))
        told = (found.name, found.title, found.description, found.media_type, found.tool)
        assert told == ("item", "One item", "By its number", "application/json", "getItem")
        assert (found.data, found.place.endswith("c.yaml:4")) == (None, True)

    @pytest.mark.parametrize(
        ("source", "data", "media_type"),
        [
            ("text: 'Hällo'", "Hällo".encode(), "text/plain"),
            ("text: '{}', mimeType: application/json", b"{}", "application/json"),
            ("file: logo.png", PNG, "image/png"),
            ("file: notes.md", b"# Notes", "text/markdown"),
            ("file: odd.bin", b"\xff\xfe", "application/octet-stream"),
            ("file: plain", b"text", "text/plain"),
            ("file: ./../d/logo.png", PNG, "image/png"),
        ],
        ids=["text", "typed text", "image", "markdown", "bytes", "no ending", "another path"],
    )
    def test_contents_are_read_with_the_configuration(
        self, tmp_path: Path, source: str, data: bytes, media_type: str
    ) -> None:
        text = f"  resources: [{{uri: 't:x', name: x, {source}}}]\n"
        (found,) = load(tmp_path / "d", text).mcp.resources
        assert (found.data, found.media_type) == (data, media_type)

    @pytest.mark.parametrize(
        ("entry", "fault"),
        [
            ("{name: x, text: y}", "[0]: needs exactly one of uri, uriTemplate"),
            (
                "{uri: 't:x', uriTemplate: 't:{x}', name: x, tool: y}",
                "[0]: needs exactly one of uri, uriTemplate",
            ),
            ("{uri: 't:x', name: x}", "[0]: needs exactly one of tool, text, file"),
            (
                "{uri: 't:x', name: x, text: y, tool: z}",
                "[0]: needs exactly one of tool, text, file",
            ),
            (
                "{uri: x, name: x, text: y}",
                "[0].uri: must be an absolute URI: a scheme, a colon, and no spaces",
            ),
            (
                "{uri: 'Gateway://x', name: x, text: y}",
                "[0].uri: this scheme is the gateway's own",
            ),
            (
                "{uriTemplate: 't:x', name: x, tool: y}",
                "[0].uriTemplate: has no {variable}; give it as uri",
            ),
            (
                "{uriTemplate: 't:{x}', name: x, text: y}",
                "[0].uriTemplate: a template needs a tool; give a uri",
            ),
            (
                "{uri: 't:x', name: x, file: missing.txt}",
                "[0].file: cannot be read: No such file or directory",
            ),
            ("{uri: 't:x', name: x, file: .}", "[0].file: cannot be read: Is a directory"),
            ("{uri: 't:x', name: x, file: \"a\\0b\"}", "[0].file: cannot be read: it is no path"),
            ("{uri: 't:x', text: y}", "[0]: needs name"),
            ("{uri: 't:x', name: 'a b', text: y}", None),
            ("{uri: 't:x', name: x, text: ''}", "[0].text: must not be empty"),
            ("{uri: 't:x', name: x, txt: y}", None),
            ("'t:x'", "[0]: must be a mapping, not text"),
        ],
    )
    def test_a_fault_names_its_place(self, tmp_path: Path, entry: str, fault: str | None) -> None:
        found = faults(tmp_path / "d", f"  resources:\n    - {entry}\n")
        assert all(each.startswith("4: mcp.resources[0]") for each in found)
        if fault is not None:
            assert found == [f"4: mcp.resources{fault}"]

    def test_a_uri_can_be_declared_once(self, tmp_path: Path) -> None:
        entries = "".join(
            f"    - {entry}\n"
            for entry in (
                "{uri: 't:x', name: x, text: y}",
                "{uri: 't:y', name: x, text: y}",
                "{uri: 't:x', name: z, text: y}",
            )
        )
        found = faults(tmp_path / "d", f"  resources:\n{entries}")
        assert found == ["6: mcp.resources[2].uri: resources[0] has this uri already"]

    def test_a_file_has_a_bound(self, tmp_path: Path) -> None:
        (tmp_path / "d").mkdir()
        with (tmp_path / "d" / "large").open("wb") as file:
            file.truncate(MAX_OFFERED_BYTES + 1)
        text = "  resources:\n    - {uri: 't:x', name: x, file: large}\n"
        assert faults(tmp_path / "d", text) == [
            f"4: mcp.resources[0].file: is larger than {MAX_OFFERED_BYTES} bytes"
        ]

    def test_a_path_in_a_variable_starts_at_the_working_directory(self, tmp_path: Path) -> None:
        (tmp_path / "there.txt").write_text("here")
        value = "[{uri: 't:x', name: x, file: there.txt}]"
        config = load(tmp_path / "d", "  {}\n", {"OCP_GATEWAY_MCP__RESOURCES": value})
        assert config.mcp.resources[0].data == b"here"


class TestPrompts:
    def test_every_key_arrives(self, tmp_path: Path) -> None:
        text = """\
  prompts:
    - name: greet
      title: Greeting
      description: Greets
      arguments:
        - {name: who, description: A name, required: true, completions: [Ann, "7", yes]}
        - name: uri
      messages:
        - {role: user, text: "Hello {{who}}"}
        - {role: assistant, image: logo.png}
        - {role: user, resource: "{{uri}}"}
        - {role: assistant, tool: getItem}
"""
        (found,) = load(tmp_path / "d", text).mcp.prompts
        assert (found.name, found.title, found.description) == ("greet", "Greeting", "Greets")
        assert found.place.endswith("c.yaml:4")
        assert found.arguments == (
            PromptArgument(
                name="who", description="A name", required=True, completions=("Ann", "7", "yes")
            ),
            PromptArgument(name="uri"),
        )
        image = ImagePart(data=b64encode(PNG).decode(), media_type="image/png")
        assert found.messages == (
            PromptMessage(role="user", part=TextPart(text="Hello {{who}}")),
            PromptMessage(role="assistant", part=image),
            PromptMessage(role="user", part=ResourcePart(uri="{{uri}}")),
            PromptMessage(role="assistant", part=ToolPart(tool="getItem")),
        )
        assert found.tool == "getItem"

    @pytest.mark.parametrize(
        ("members", "fault"),
        [
            ("messages: []", ".messages: must not be empty"),
            ("messages: [{role: user}]", ".messages[0]: needs exactly one of text, image,"),
            (
                "messages: [{role: user, text: a, tool: b}]",
                ".messages[0]: needs exactly one of text, image,",
            ),
            ("messages: [{role: system, text: a}]", ".messages[0].role: must be one of user,"),
            ("messages: [{text: a}]", ".messages[0]: needs role"),
            (
                "messages: [{role: user, text: 'a {{who}}'}]",
                ".messages[0].text: there is no argument 'who'",
            ),
            (
                "messages: [{role: user, resource: '{{who}}'}]",
                ".messages[0].resource: there is no argument 'who'",
            ),
            (
                "messages: [{role: user, image: notes.md}]",
                ".messages[0].image: is no image, by the ending of its name",
            ),
            (
                "messages: [{role: user, image: gone.png}]",
                ".messages[0].image: cannot be read: No such file or directory",
            ),
            (
                "messages: [{role: user, tool: a}, {role: user, text: t}, {role: user, tool: a}]",
                ".messages[2].tool: a prompt can call one tool only",
            ),
            (
                "arguments: [{name: a}, {name: a}], messages: [{role: user, text: a}]",
                ".arguments[1].name: arguments[0] has this name already",
            ),
            (
                "arguments: [{name: 1a}], messages: [{role: user, text: a}]",
                ".arguments[0].name: must match ",
            ),
            ("arguments: x, messages: [{role: user, text: a}]", ".arguments: must be a list,"),
            ("messages: {}", ".messages: must be a list, not a mapping"),
        ],
    )
    def test_a_fault_names_its_place(self, tmp_path: Path, members: str, fault: str) -> None:
        text = f"  prompts:\n    - {{name: x, description: y, {members}}}\n"
        (found,) = faults(tmp_path / "d", text)
        assert found.startswith(f"4: mcp.prompts[0]{fault}")

    def test_a_name_can_be_given_once(self, tmp_path: Path) -> None:
        entry = "    - {name: x, description: y, messages: [{role: user, text: a}]}\n"
        assert faults(tmp_path / "d", f"  prompts:\n{entry}{entry}") == [
            "5: mcp.prompts[1].name: prompts[0] has this name already"
        ]

    def test_a_placeholder_that_is_none_is_text(self, tmp_path: Path) -> None:
        text = "  prompts: [{name: x, description: y, messages: [{role: user, text: '{{ }}'}]}]\n"
        (found,) = load(tmp_path / "d", text).mcp.prompts
        assert found.messages[0].part == TextPart(text="{{ }}")
