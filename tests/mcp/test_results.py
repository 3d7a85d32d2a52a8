"""What came of a call, in each revision's words."""

from dataclasses import replace

import pytest

from gateway.calls import Audio, Content, Image, Resource, Rest, Structured, Text, ToolResult
from gateway.errors import (
    ApiUnavailable,
    BadRequest,
    CannotAsk,
    Fault,
    GatewayError,
    InvalidArguments,
    LoopDetected,
    UnknownTool,
)
from gateway.mcp import CallTool, Reply, Revision, Work, finish_call, refuse_call
from gateway.mcp.envelopes import crash_reply, join_replies
from gateway.mcp.revisions import (
    LEGACY,
    V2024_11_05,
    V2025_03_26,
    V2025_06_18,
    V2025_11_25,
    V2026_07_28,
)
from tests.support.mcp_core import SERVER, error_of, result_of, spoken

REVISIONS = (*LEGACY, V2026_07_28)
CONTEXT = "io.opencontextprotocol/context-id"
RECORDED = "io.opencontextprotocol/recorded"
SERVER_INFO = "io.modelcontextprotocol/serverInfo"


def call(revision: Revision) -> Work:
    task = CallTool(name="listPets", arguments={})
    return Work(id=7, revision=revision, server=SERVER, task=task)


def finished(
    revision: Revision, *content: Content, structured: Structured | None = None
) -> dict[str, object]:
    result = ToolResult(status=200, content=content, structured=structured)
    return result_of(finish_call(call(revision), result, context_id="mine", recorded=True))


def by_name(revision: Revision) -> str:
    return revision.name


@pytest.mark.parametrize("revision", REVISIONS, ids=by_name)
def test_a_result_names_its_context_in_every_revision(revision: Revision) -> None:
    result = ToolResult(status=204, content=(Text(text="HTTP 204"),))
    reply = finish_call(call(revision), result, context_id="mine", recorded=True)
    assert reply.headers == (("OCP-Context-ID", "mine"),)
    assert spoken(reply)["id"] == 7
    told = result_of(reply)
    assert told["content"] == [{"type": "text", "text": "HTTP 204"}]
    assert told["isError"] is False
    meta: dict[str, object] = {CONTEXT: "mine"}
    if revision.modern:
        meta[SERVER_INFO] = {"name": "ocp-gateway", "version": SERVER.version}
    assert told["_meta"] == meta
    assert told.get("resultType") == ("complete" if revision.modern else None)


def test_a_result_that_was_not_recorded_says_so() -> None:
    result = ToolResult(status=200, content=(Text(text="x"),))
    reply = finish_call(call(V2025_11_25), result, context_id="mine", recorded=False)
    assert result_of(reply)["_meta"] == {CONTEXT: "mine", RECORDED: False}


@pytest.mark.parametrize(
    ("value", "holders"),
    [
        pytest.param({"a": 1}, {V2025_06_18, V2025_11_25, V2026_07_28}, id="object"),
        pytest.param([1, 2], {V2026_07_28}, id="array"),
        pytest.param("text", {V2026_07_28}, id="text"),
        pytest.param(None, {V2026_07_28}, id="null"),
        pytest.param({"n": 2**70}, {V2025_06_18, V2025_11_25, V2026_07_28}, id="long integer"),
    ],
)
def test_structured_content_goes_to_those_who_can_hold_it(
    value: object, holders: set[Revision]
) -> None:
    for revision in REVISIONS:
        result = finished(revision, Text(text="x"), structured=Structured(value=value))
        assert ("structuredContent" in result) == (revision in holders), revision.name
        if revision in holders:
            assert result["structuredContent"] == value


def test_without_structure_there_is_none() -> None:
    assert "structuredContent" not in finished(V2026_07_28, Text(text="x"))


IMAGE = Image(data="AAAA", media_type="image/png")
AUDIO = Audio(data="AAAA", media_type="audio/wav")
BLOB = Resource(uri="u:1", media_type="a/b", blob="AAAA")
PAGE = Resource(uri="u:2", media_type=None, text="hello")


@pytest.mark.parametrize("revision", REVISIONS, ids=by_name)
def test_blocks_that_every_revision_has(revision: Revision) -> None:
    assert finished(revision, IMAGE, BLOB, PAGE)["content"] == [
        {"type": "image", "data": "AAAA", "mimeType": "image/png"},
        {"type": "resource", "resource": {"uri": "u:1", "mimeType": "a/b", "blob": "AAAA"}},
        {"type": "resource", "resource": {"uri": "u:2", "text": "hello"}},
    ]


@pytest.mark.parametrize("revision", [V2025_03_26, V2026_07_28], ids=by_name)
def test_audio_is_a_block_where_it_exists(revision: Revision) -> None:
    block = {"type": "audio", "data": "AAAA", "mimeType": "audio/wav"}
    assert finished(revision, AUDIO)["content"] == [block]


def test_audio_becomes_an_embedded_resource_before() -> None:
    first, second = (
        {
            "type": "resource",
            "resource": {
                "uri": f"urn:ocp-gateway:audio:{index}",
                "mimeType": "audio/wav",
                "blob": "AAAA",
            },
        }
        for index in (0, 1)
    )
    assert finished(V2024_11_05, AUDIO, AUDIO)["content"] == [first, second]


@pytest.mark.parametrize(("revision", "status"), [(V2025_11_25, 200), (V2026_07_28, 400)])
def test_an_unknown_tool_is_a_protocol_error(revision: Revision, status: int) -> None:
    reply = refuse_call(call(revision), UnknownTool("no tool named x"))
    assert reply.status == status
    assert error_of(reply) == {"code": -32602, "message": "no tool named x"}
    assert spoken(reply)["id"] == 7


@pytest.mark.parametrize("revision", REVISIONS, ids=by_name)
def test_bad_arguments_are_a_result_that_lists_every_fault(revision: Revision) -> None:
    error = InvalidArguments(
        Fault(pointer="/id", message="is required"), Fault(pointer="", message="is too big")
    )
    error.context_id = "mine"
    reply = refuse_call(call(revision), error)
    result = result_of(reply)
    assert reply.status == 200
    assert result["isError"] is True
    assert isinstance(result["content"], list)
    (block,) = result["content"]
    assert "/id: is required" in block["text"]
    assert "(root): is too big" in block["text"]
    assert isinstance(result["_meta"], dict)
    assert result["_meta"][CONTEXT] == "mine"
    assert ("resultType" in result) == revision.modern


@pytest.mark.parametrize(
    "error", [ApiUnavailable("soon"), LoopDetected("loop"), BadRequest("no")], ids=repr
)
def test_other_refusals_are_results_that_a_model_can_read(error: GatewayError) -> None:
    result = result_of(refuse_call(call(V2025_11_25), error))
    assert result["isError"] is True
    assert "_meta" not in result
    assert isinstance(result["content"], list)
    assert str(error) in result["content"][0]["text"]


@pytest.mark.parametrize("revision", REVISIONS, ids=by_name)
@pytest.mark.parametrize(
    "error",
    [
        UnknownTool("no such tool"),
        CannotAsk("who are you", missing=frozenset({"sampling"})),
        BadRequest("no"),
    ],
    ids=lambda error: error.code,
)
def test_every_refusal_has_the_context_in_its_header(
    error: GatewayError, revision: Revision
) -> None:
    error.context_id = "mine"
    reply = refuse_call(call(revision), error)
    assert reply.headers == (("OCP-Context-ID", "mine"),)
    if "result" in spoken(reply):
        meta = result_of(reply)["_meta"]
        assert isinstance(meta, dict)
        assert meta[CONTEXT] == "mine"


def test_a_crash_names_the_incident_and_nothing_else() -> None:
    reply = crash_reply("x", "abc123")
    assert reply.status == 200
    assert error_of(reply) == {
        "code": -32603,
        "message": "Internal error, incident abc123",
        "data": {"incident": "abc123"},
    }


@pytest.mark.parametrize(
    ("replies", "status", "body"),
    [
        pytest.param([Reply(status=202), Reply(status=202)], 202, b"", id="nothing to say"),
        pytest.param(
            [Reply(body=b"1"), Reply(status=202), Reply(status=400, body=b"2")],
            200,
            b"[1,2]",
            id="some of it served",
        ),
        pytest.param([Reply(status=400, body=b"1")] * 2, 400, b"[1,1]", id="none of it served"),
    ],
)
def test_replies_join_to_one(replies: list[Reply], status: int, body: bytes) -> None:
    joined = join_replies(replies)
    assert (joined.status, joined.body) == (status, body)


@pytest.mark.parametrize("revision", REVISIONS, ids=lambda revision: revision.name)
def test_where_an_excerpt_goes_on_is_told_to_programs(revision: Revision) -> None:
    rest = Rest(handle="ab", start=3, size=9, whole=False)
    result = ToolResult(status=200, content=(Text(text="[..."),), rest=rest)
    made = result_of(finish_call(call(revision), result, context_id="c", recorded=True))
    meta = made["_meta"]
    assert isinstance(meta, dict)
    assert meta["io.opencontextprotocol/rest"] == {
        "handle": "ab",
        "start": 3,
        "size": 9,
        "complete": False,
    }


@pytest.mark.parametrize("revision", REVISIONS, ids=by_name)
def test_the_whole_of_an_excerpt_is_linked_where_there_are_links(revision: Revision) -> None:
    rest = Rest(handle="ab", start=3, size=9, whole=True)
    result = ToolResult(status=200, content=(Text(text="[..."),), rest=rest)
    told = result_of(finish_call(call(revision), result, context_id="c", recorded=True))["content"]
    assert isinstance(told, list)
    assert told[0] == {"type": "text", "text": "[..."}
    links = [{key: block[key] for key in ("type", "uri", "size")} for block in told[1:]]
    link = {"type": "resource_link", "uri": "gateway://results/ab", "size": 9}
    assert links == ([] if revision in (V2024_11_05, V2025_03_26) else [link])


PUBLISHING = replace(SERVER, output_schemas=True)


@pytest.mark.parametrize("revision", REVISIONS, ids=by_name)
@pytest.mark.parametrize(
    ("result", "expected"),
    [
        pytest.param(
            ToolResult(
                status=200, content=(Text(text="x"),), structured=Structured(value={"a": 1})
            ),
            {"a": 1},
            id="object",
        ),
        pytest.param(
            ToolResult(status=200, content=(Text(text="[]"),), structured=Structured(value=[])),
            {"result": []},
            id="array",
        ),
        pytest.param(
            ToolResult(status=200, content=(Text(text="null"),), structured=Structured(value=None)),
            {"result": None},
            id="null",
        ),
        pytest.param(
            ToolResult(status=204, content=(Text(text="HTTP 204, no content"),)),
            {"result": "HTTP 204, no content"},
            id="nothing",
        ),
        pytest.param(
            ToolResult(status=200, content=(Text(text="a"), IMAGE, Text(text="b"))),
            {"result": "a\nb"},
            id="texts",
        ),
        pytest.param(ToolResult(status=200, content=(IMAGE,)), {"result": None}, id="image"),
        pytest.param(
            ToolResult(status=500, content=(Text(text="x"),), is_error=True), None, id="error"
        ),
    ],
)
def test_where_answers_are_published_every_success_has_one(
    revision: Revision, result: ToolResult, expected: object
) -> None:
    work = replace(call(revision), server=PUBLISHING)
    told = result_of(finish_call(work, result, context_id="c", recorded=True))
    assert told.get("structuredContent") == (expected if revision.structured else None)
    assert ("structuredContent" in told) == (revision.structured and expected is not None)
