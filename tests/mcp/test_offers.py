"""Resources, prompts and completion as messages, in every revision."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from gateway.calls import Audio, Image, Link, Resource, Rest, Text
from gateway.catalog import Offerings, offerings_of
from gateway.errors import (
    ApiUnavailable,
    CannotAsk,
    Fault,
    GatewayError,
    InvalidArguments,
    SourceFailed,
    StoreUnavailable,
    UnknownPrompt,
    UnknownResource,
)
from gateway.mcp import (
    GetPrompt,
    Publication,
    QuestionIds,
    ReadResource,
    Reply,
    Server,
    StdioDialogue,
    ToolPages,
    Work,
    finish_prompt,
    finish_reading,
    refuse_offer,
)
from gateway.mcp.json_text import parse_json
from tests.support.mcp_core import (
    KEY,
    LEGACY,
    MODERN,
    encoded,
    error_of,
    message,
    modern_message,
    result_of,
    spoken,
)
from tests.support.mcp_judge import judge_body
from tests.support.offerings import DECLARED, catalog

REVISIONS = (*LEGACY, MODERN)
SERVER = Server(version="0", prompts=True)
OWN = "ocp-00000001"
Json = Mapping[str, object]


class Talk:
    """A client of one revision, and what it is answered, which the judge has let pass."""

    def __init__(
        self,
        revision: str,
        *,
        page_size: int = 0,
        prompts: bool = True,
        offerings: Offerings | None = None,
        context: str | None = None,
    ) -> None:
        self.revision = revision
        found = offerings or offerings_of(DECLARED, catalog())
        server = replace(SERVER, prompts=prompts)
        self._dialogue = StdioDialogue(
            publication=Publication(
                server=server,
                pages=ToolPages(server, page_size=page_size),
                view=catalog().view,
                offerings=lambda: found,
                ttl_ms=lambda: 5_000,
            ),
            questions=QuestionIds((KEY,)),
            own_context=OWN,
            bound_context=context,
        )
        if revision != MODERN:
            client = {"name": "t", "version": "1"}
            opening = {"protocolVersion": revision, "capabilities": {}, "clientInfo": client}
            self.welcome = self.result("initialize", opening)
        else:
            self.welcome = self.result("server/discover")

    def ask(self, method: str, params: Json | None = None) -> object:
        build = modern_message if self.revision == MODERN else message
        body = encoded(build(method, params))
        decision = self._dialogue.on_line(body)
        if isinstance(decision, Reply):
            judge_body(decision.body, revision=self.revision, asked=parse_json(body))
        return decision

    def result(self, method: str, params: Json | None = None) -> Json:
        return result_of(self.ask(method, params))

    def error(self, method: str, params: Json | None = None) -> Json:
        return error_of(self.ask(method, params))

    def work(self, method: str, params: Json) -> Work:
        decision = self.ask(method, params)
        assert isinstance(decision, Work)
        return decision

    def judged(self, reply: Reply, method: str, params: Json) -> Reply:
        build = modern_message if self.revision == MODERN else message
        judge_body(reply.body, revision=self.revision, asked=build(method, params))
        return reply


def names(result: Json, member: str, key: str) -> list[object]:
    items = result[member]
    assert isinstance(items, list)
    return [item[key] for item in items]


@pytest.mark.parametrize("revision", REVISIONS)
class TestInEveryRevision:
    def test_what_works_is_declared(self, revision: str) -> None:
        declared = Talk(revision).welcome["capabilities"]
        assert isinstance(declared, dict)
        wanted = {"tools", "resources", "prompts"}
        wanted |= {"completions"} if revision != "2024-11-05" else set()
        wanted |= {"logging"} if revision != MODERN else set()
        assert declared.keys() == wanted

    def test_resources_are_listed(self, revision: str) -> None:
        result = Talk(revision).result("resources/list")
        uris = names(result, "resources", "uri")
        assert uris[:3] == ["test://note", "test://logo", "test://items"]
        assert uris[-1] == ("gateway://context" if revision != MODERN else uris[5])
        assert "nextCursor" not in result
        if revision == MODERN:
            assert (result["ttlMs"], result["cacheScope"]) == (5_000, "public")

    def test_templates_are_listed(self, revision: str) -> None:
        result = Talk(revision).result("resources/templates/list")
        uris = names(result, "resourceTemplates", "uriTemplate")
        assert uris[0] == "test://items/{id}"
        assert len(uris) == 6

    def test_titles_go_to_who_knows_them(self, revision: str) -> None:
        talk = Talk(revision)
        lists = (
            ("prompts/list", "prompts"),
            ("resources/list", "resources"),
            ("resources/templates/list", "resourceTemplates"),
        )
        for method, member in lists:
            items = talk.result(method)[member]
            assert isinstance(items, list)
            has_title = any("title" in item for item in items)
            assert has_title == (revision >= "2025-06-18")

    def test_prompts_are_listed_with_their_arguments(self, revision: str) -> None:
        items = Talk(revision).result("prompts/list")["prompts"]
        assert isinstance(items, list)
        assert items[0]["arguments"] == [
            {"name": "who", "required": True},
            {"name": "uri", "required": False, "description": "What to read"},
        ]

    def test_without_prompts_their_methods_are_unknown(self, revision: str) -> None:
        talk = Talk(revision, prompts=False)
        assert "prompts" not in str(talk.welcome["capabilities"])
        for method in ("prompts/list", "prompts/get"):
            assert talk.error(method, {"name": "greet"})["code"] == -32601

    def test_a_reading_is_work(self, revision: str) -> None:
        work = Talk(revision).work("resources/read", {"uri": "test://note"})
        assert work.task == ReadResource(uri="test://note")

    def test_a_prompt_is_work(self, revision: str) -> None:
        work = Talk(revision).work("prompts/get", {"name": "greet", "arguments": {"who": "A"}})
        assert work.task == GetPrompt(name="greet", arguments={"who": "A"})
        bare = Talk(revision).work("prompts/get", {"name": "greet"})
        assert bare.task == GetPrompt(name="greet", arguments={})

    def test_what_was_read_is_told(self, revision: str) -> None:
        talk, params = Talk(revision), {"uri": "test://x"}
        work = talk.work("resources/read", params)
        contents = (
            Resource(uri="test://x", media_type="text/plain", text="\u2028"),
            Resource(uri="test://x", media_type=None, blob="AA=="),
        )
        rest = Rest(handle="ab", start=1, size=2, whole=True)
        reply = finish_reading(
            work, contents, ttl_ms=None, context_id=OWN, recorded=False, rest=rest
        )
        result = result_of(talk.judged(reply, "resources/read", params))
        assert result["contents"] == [
            {"uri": "test://x", "mimeType": "text/plain", "text": "\u2028"},
            {"uri": "test://x", "blob": "AA=="},
        ]
        meta = result["_meta"]
        assert isinstance(meta, dict)
        assert meta["io.opencontextprotocol/context-id"] == OWN
        assert meta["io.opencontextprotocol/recorded"] is False
        assert meta["io.opencontextprotocol/rest"] == {
            "handle": "ab", "start": 1, "size": 2, "complete": True
        }  # fmt: skip
        assert ("OCP-Context-ID", OWN) in reply.headers
        if revision == MODERN:
            assert (result["ttlMs"], result["cacheScope"]) == (0, "private")

    def test_what_is_the_same_for_all_may_be_kept(self, revision: str) -> None:
        talk, params = Talk(revision), {"uri": "test://x"}
        contents = (Resource(uri="test://x", media_type=None, text=""),)
        work = talk.work("resources/read", params)
        result = result_of(
            talk.judged(finish_reading(work, contents, ttl_ms=5_000), "resources/read", params)
        )
        kept = {key for key in result if key in ("ttlMs", "cacheScope", "resultType", "_meta")}
        if revision == MODERN:
            assert (result["ttlMs"], result["cacheScope"]) == (5_000, "public")
        else:
            assert not kept

    def test_messages_of_a_prompt_are_told_in_words_that_are_known(self, revision: str) -> None:
        talk, params = Talk(revision), {"name": "greet"}
        work = talk.work("prompts/get", params)
        messages = (
            ("user", Text(text="Hello")),
            ("assistant", Image(data="AA==", media_type="image/png")),
            ("assistant", Audio(data="AA==", media_type="audio/wav")),
            ("user", Resource(uri="t:x", media_type="text/plain", text="x")),
            ("user", Link(uri="t:y", name="y")),
        )
        reply = finish_prompt(work, "Greets", messages, context_id=OWN)  # type: ignore[arg-type]
        result = result_of(talk.judged(reply, "prompts/get", params))
        shown = result["messages"]
        assert isinstance(shown, list)
        assert [each["role"] for each in shown] == [role for role, _ in messages]
        kinds = [each["content"]["type"] for each in shown]
        assert kinds[:2] == ["text", "image"]
        assert kinds[2] == ("resource" if revision == "2024-11-05" else "audio")
        assert kinds[4] == ("resource_link" if revision >= "2025-06-18" else "text")
        assert result["description"] == "Greets"

    def test_values_are_suggested(self, revision: str) -> None:
        params = {
            "ref": {"type": "ref/prompt", "name": "greet"},
            "argument": {"name": "who", "value": "b"},
            "context": {"arguments": {"uri": "x"}},
        }
        result = Talk(revision).result("completion/complete", params)
        assert result["completion"] == {"values": ["Bob"], "total": 1, "hasMore": False}
        assert "ttlMs" not in result

    @pytest.mark.parametrize(
        "params",
        [
            {},
            {"ref": {"type": "ref/prompt", "name": "greet"}},
            {"ref": {"type": "ref/prompt", "name": "greet"}, "argument": {"name": "who"}},
            {"ref": {"type": "ref/tool", "name": "x"}, "argument": {"name": "who", "value": ""}},
            {"ref": {"type": "ref/prompt"}, "argument": {"name": "who", "value": ""}},
            {"ref": [], "argument": {"name": "who", "value": ""}},
            {"ref": {"type": "ref/prompt", "name": "no"}, "argument": {"name": "a", "value": ""}},
            {
                "ref": {"type": "ref/prompt", "name": "greet"},
                "argument": {"name": "nope", "value": ""},
            },
            {"ref": {"type": "ref/resource", "uri": "t:x"}, "argument": {"name": "a", "value": ""}},
            {
                "ref": {"type": "ref/prompt", "name": "greet"},
                "argument": {"name": "who", "value": 5},
            },
        ],
        ids=["nothing", "no argument", "no value", "kind", "no name", "ref", "prompt",
             "argument", "template", "number"],
    )  # fmt: skip
    def test_a_completion_of_nothing_is_refused(self, revision: str, params: Json) -> None:
        assert Talk(revision).error("completion/complete", params)["code"] == -32602

    @pytest.mark.parametrize(
        ("method", "params"),
        [
            ("resources/read", {}),
            ("resources/read", {"uri": 5}),
            ("prompts/get", {}),
            ("prompts/get", {"name": []}),
            ("prompts/get", {"name": "greet", "arguments": []}),
            ("prompts/get", {"name": "greet", "arguments": {"who": 5}}),
            ("prompts/list", {"cursor": "x"}),
            ("resources/list", {"cursor": "x"}),
            ("resources/templates/list", {"cursor": 5}),
        ],
    )
    def test_malformed_params_are_refused(self, revision: str, method: str, params: Json) -> None:
        assert Talk(revision).error(method, params)["code"] == -32602

    @pytest.mark.parametrize(
        ("method", "member", "key", "count"),
        [
            ("prompts/list", "prompts", "name", 2),
            ("resources/templates/list", "resourceTemplates", "uriTemplate", 6),
        ],
    )
    def test_lists_have_pages(
        self, revision: str, method: str, member: str, key: str, count: int
    ) -> None:
        talk = Talk(revision, page_size=1)
        found: list[object] = []
        result = talk.result(method)
        while True:
            found += names(result, member, key)
            cursor = result.get("nextCursor")
            if cursor is None:
                break
            result = talk.result(method, {"cursor": cursor})
        assert (len(found), found) == (count, names(Talk(revision).result(method), member, key))
        assert talk.error("resources/list", {"cursor": _cursor(talk, method)})["code"] == -32602


def _cursor(talk: Talk, method: str) -> object:
    return talk.result(method)["nextCursor"]


REFUSALS: dict[str, tuple[GatewayError, int, int]] = {
    "unknown": (UnknownResource("t:x"), -32002, -32602),
    "bad variable": (InvalidArguments(Fault(pointer="/id", message="is odd")), -32602, -32602),
    "failing": (SourceFailed("HTTP 500"), -32603, -32603),
    "not loaded": (ApiUnavailable("later"), -32603, -32603),
    "store": (StoreUnavailable("down"), -32603, -32603),
    "cannot ask": (CannotAsk("no", missing=frozenset({"sampling"})), -32603, -32021),
}


@pytest.mark.parametrize("revision", REVISIONS)
@pytest.mark.parametrize(("error", "legacy", "modern"), REFUSALS.values(), ids=REFUSALS)
def test_a_resource_that_cannot_be_read_is_an_error_with_its_uri(
    revision: str, error: GatewayError, legacy: int, modern: int
) -> None:
    talk, params = Talk(revision), {"uri": "t:x"}
    reply = refuse_offer(talk.work("resources/read", params), error)
    found = error_of(talk.judged(reply, "resources/read", params))
    assert found["code"] == (modern if revision == MODERN else legacy)
    if found["code"] == -32021:
        assert found["data"] == {"requiredCapabilities": {"sampling": {}}}
        assert reply.status == 400
    else:
        assert found["data"] == {"uri": "t:x"}
    if found["code"] in (-32002, -32603):
        assert reply.status == 200


@pytest.mark.parametrize("revision", REVISIONS)
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UnknownPrompt("there is no prompt"), -32602),
        (UnknownResource("t:x"), -32602),
        (InvalidArguments(Fault(pointer="/who", message="is required")), -32602),
        (SourceFailed("HTTP 500"), -32603),
    ],
    ids=["prompt", "resource in it", "argument", "failing"],
)
def test_a_prompt_that_cannot_be_had_is_an_error(
    revision: str, error: GatewayError, code: int
) -> None:
    talk, params = Talk(revision), {"name": "greet"}
    error.context_id = OWN
    reply = refuse_offer(talk.work("prompts/get", params), error)
    assert error_of(talk.judged(reply, "prompts/get", params))["code"] == code
    assert ("OCP-Context-ID", OWN) in reply.headers


def test_while_nothing_is_loaded_lists_fail_and_the_talk_goes_on() -> None:
    def absent() -> Offerings:
        raise ApiUnavailable("the description could not be loaded")

    dialogue = StdioDialogue(
        publication=Publication(
            server=SERVER, pages=ToolPages(SERVER), view=catalog().view, offerings=absent
        ),
        questions=QuestionIds((KEY,)),
        own_context=OWN,
    )
    for method in ("resources/list", "resources/templates/list", "prompts/list"):
        reply = dialogue.on_line(encoded(modern_message(method)))
        assert error_of(reply)["code"] == -32603
    assert "result" in spoken(dialogue.on_line(encoded(modern_message("server/discover"))))


def test_a_bound_process_lists_its_context_in_the_modern_era_too() -> None:
    result = Talk(MODERN, context=OWN).result("resources/list")
    assert names(result, "resources", "uri")[-1] == "gateway://context"


def test_at_most_a_hundred_values_are_told() -> None:
    prompt = DECLARED.prompts[0]
    many = replace(prompt.arguments[0], completions=tuple(f"v{n}" for n in range(250)))
    declared = replace(DECLARED, prompts=(replace(prompt, arguments=(many,)),))
    talk = Talk(MODERN, offerings=offerings_of(declared, catalog()))
    params = {
        "ref": {"type": "ref/prompt", "name": "greet"},
        "argument": {"name": "who", "value": "v"},
    }
    found = talk.result("completion/complete", params)["completion"]
    assert isinstance(found, dict)
    assert (len(found["values"]), found["total"], found["hasMore"]) == (100, 250, True)
