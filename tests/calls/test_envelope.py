"""The interaction envelope, from bytes to what its lines say."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls import (
    Asked,
    BadEnvelope,
    EnvelopeReader,
    Image,
    JsonAnswer,
    Link,
    LogLine,
    NativeAnswer,
    Progress,
    Resource,
    Structured,
    Text,
)
from gateway.calls.envelope import MAX_BYTES, MAX_LINE, MAX_LINES
from gateway.calls.envelope_content import MAX_BLOCKS
from gateway.calls.envelope_lines import (
    MAX_NOTE_PARTS,
    MAX_PARTS,
    MAX_STATE,
    BadLine,
    Line,
    read_line,
)

FORM = {"message": "Name?", "requestedSchema": {"type": "object", "properties": {}}}
ELICIT = {"method": "elicitation/create", "params": FORM}
SAMPLE = {
    "method": "sampling/createMessage",
    "params": {
        "messages": [{"role": "user", "content": {"type": "text", "text": "Hi"}}],
        "maxTokens": 10,
    },
}
TOOL_RESULT = {"type": "tool_result", "toolUseId": "1", "content": []}
URL = {"mode": "url", "message": "Sign in", "url": "https://pay.example/x"}


def line_of(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def read(value: object) -> Line:
    return read_line(line_of(value))


def asked(requests: Mapping[str, object], **more: object) -> Asked:
    line = read({"type": "input_required", "requests": requests, **more})
    assert isinstance(line, Asked)
    return line


def native(*blocks: object, **more: object) -> NativeAnswer:
    line = read({"type": "result", "content": list(blocks), **more})
    assert isinstance(line, NativeAnswer)
    return line


def with_params(request: Mapping[str, object], **changes: object) -> Mapping[str, object]:
    params = request["params"]
    assert isinstance(params, dict)
    return {**request, "params": {**params, **changes}}


def dated(text: str) -> Mapping[str, object]:
    return {"type": "text", "text": "", "annotations": {"lastModified": text}}


def with_field(field: object) -> Mapping[str, object]:
    schema = {"type": "object", "properties": {"x": field}}
    return {"method": "elicitation/create", "params": {"message": "?", "requestedSchema": schema}}


class TestLines:
    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ({"type": "progress", "progress": 50}, Progress(progress=50)),
            (
                {"type": "progress", "progress": 0.5, "total": 1, "message": "half"},
                Progress(progress=0.5, total=1, message="half"),
            ),
            ({"type": "progress", "progress": 1, "total": None}, Progress(progress=1)),
            ({"type": "log", "level": "notice", "data": None}, LogLine(level="notice", data=None)),
            (
                {"type": "log", "level": "error", "data": {"a": [1]}, "logger": "db"},
                LogLine(level="error", data={"a": [1]}, logger="db"),
            ),
            ({"type": "result", "json": None}, JsonAnswer(data=b"null")),
            ({"type": "result", "json": {"a": 2**70}}, JsonAnswer(data=b'{"a":%d}' % 2**70)),
            ({"type": "progress", "progress": 1, "eta": 4}, Progress(progress=1)),
        ],
        ids=lambda value: value.get("type", "") if isinstance(value, dict) else "",
    )
    def test_what_they_say(self, line: object, expected: Line) -> None:
        assert read(line) == expected

    def test_a_whole_number_stays_one(self) -> None:
        line = read({"type": "progress", "progress": 50, "total": 100})
        assert isinstance(line, Progress)
        assert (type(line.progress), type(line.total)) == (int, int)

    @pytest.mark.parametrize(
        ("line", "fault"),
        [
            ([], "is no JSON object"),
            ({"progress": 1}, "/type: is none of progress, log, input_required, result"),
            ({"type": ["log"]}, "/type: is none of"),
            ({"type": "progress"}, "/progress: is required"),
            ({"type": "progress", "progress": True}, "/progress: expected number"),
            ({"type": "progress", "progress": 1, "message": 2}, "/message: expected"),
            ({"type": "log", "level": "loud", "data": 1}, "/level:"),
            ({"type": "log", "level": "info"}, "/data: is required"),
            ({"type": "result"}, "matches none of the allowed forms"),
            ({"type": "result", "json": 1, "content": []}, ""),
            ({"type": "result", "json": 1, "is_error": True}, "/content: is required"),
            ({"type": "result", "json": 1, "structured": 1}, "/content: is required"),
            ({"type": "result", "content": {}}, "/content: expected array"),
            ({"type": "input_required"}, "has neither requests nor a state"),
            ({"type": "input_required", "requests": {}}, "has neither requests nor a state"),
            ({"type": "input_required", "requests": [ELICIT]}, "/requests: expected object"),
            ({"type": "input_required", "requests": {"a": 1}}, "/requests/a: expected object"),
            ({"type": "input_required", "requests": {"": ELICIT}}, "/requests"),
            (
                {"type": "input_required", "requests": {str(i): ELICIT for i in range(33)}},
                "/requests",
            ),
            (
                {"type": "input_required", "requests": {}, "state": "x" * MAX_STATE},
                "/state: is larger than 8,192 bytes",
            ),
        ],
        ids=str,
    )
    def test_what_is_wrong_with_them(self, line: object, fault: str) -> None:
        with pytest.raises(BadLine) as caught:
            read(line)
        assert fault in str(caught.value)

    @pytest.mark.parametrize(
        "data",
        [b"{", b'{"type":"progress","progress":NaN}', b'"\\ud800"', b"\xff", b"[" * 300, b"nul"],
        ids=str,
    )
    def test_what_is_no_json(self, data: bytes) -> None:
        with pytest.raises(BadLine):
            read_line(data)

    @pytest.mark.parametrize(
        ("line", "parts"),
        [
            ('{"type":"log","level":"info","data":[%s]}', MAX_NOTE_PARTS),
            ('{"type":"progress","progress":1,"more":[%s]}', MAX_NOTE_PARTS),
            ('{"type":"input_required","state":1,"more":[%s]}', MAX_NOTE_PARTS),
            ('{"type":"result","json":[%s]}', MAX_PARTS),
            ('{"type":"result","content":[],"structured":[%s]}', MAX_PARTS),
        ],
        ids=["log", "progress", "questions", "json", "structured"],
    )
    def test_how_much_there_may_be_in_one(self, line: str, parts: int) -> None:
        own = line.count(":") + line.count("{") + line.count("[")
        read_line((line % ",".join(["{}"] * (parts - own))).encode())
        with pytest.raises(BadLine, match=f"has more than {parts:,} objects, arrays and members"):
            read_line((line % ",".join(["{}"] * (parts - own + 1))).encode())

    def test_signs_in_texts_weigh_nothing(self) -> None:
        text = "{[:" * MAX_NOTE_PARTS
        assert read({"type": "log", "level": "info", "data": text}) == LogLine(
            level="info", data=text
        )

    def test_a_state_of_exactly_the_bound(self) -> None:
        state = "x" * (MAX_STATE - 2)
        assert asked({}, state=state).state == state

    def test_null_is_no_state(self) -> None:
        assert asked({"a": ELICIT}, state=None).state is None


class TestQuestions:
    @pytest.mark.parametrize(
        ("request_", "needs"),
        [
            (ELICIT, ["elicitation.form"]),
            (with_params(ELICIT, mode="form"), ["elicitation.form"]),
            ({"method": "elicitation/create", "params": URL}, ["elicitation.url"]),
            (SAMPLE, ["sampling"]),
            (with_params(SAMPLE, tools=[]), ["sampling", "sampling.tools"]),
            (with_params(SAMPLE, toolChoice={}), ["sampling", "sampling.tools"]),
            (
                with_params(
                    SAMPLE,
                    messages=[
                        {
                            "role": "user",
                            "content": [{"type": "tool_result", "toolUseId": "1", "content": []}],
                        }
                    ],
                ),
                ["sampling", "sampling.tools"],
            ),
            ({"method": "roots/list", "params": {}}, ["roots"]),
            ({"method": "roots/list"}, ["roots"]),
        ],
        ids=str,
    )
    def test_which_ability_each_needs(self, request_: object, needs: list[str]) -> None:
        ask = asked({"a": request_}).asks["a"]
        assert ask.needs == set(needs)
        assert not ask.optional

    @pytest.mark.parametrize(
        ("request_", "fault"),
        [
            ({"method": "tools/call", "params": {}}, "/requests/a/method: is none of"),
            ({"params": {}}, "/requests/a/method: is required"),
            ({"method": "elicitation/create"}, "/requests/a/params/message: is required"),
            (with_params(ELICIT, mode="voice"), "/requests/a/params/mode"),
            (with_params(ELICIT, message=1), "/requests/a/params/message"),
            (with_params(ELICIT, requestedSchema={}), "/requests/a/params/requestedSchema"),
            (with_field({"type": "object"}), "/requestedSchema/properties/x"),
            (with_field({"type": "string", "format": "password"}), "/properties/x"),
            (with_field({"type": "array", "items": {"type": "string"}}), "/properties/x"),
            (with_params(SAMPLE, maxTokens=0), "/requests/a/params/maxTokens"),
            (with_params(SAMPLE, maxTokens=2**53), "/requests/a/params/maxTokens"),
            (with_params(SAMPLE, maxTokens=1e30), "/requests/a/params/maxTokens"),
            (with_field({"type": "string", "maxLength": 2**53}), "/properties/x"),
            (
                with_params(SAMPLE, messages=[{"role": "user", "content": dated("garbage")}]),
                "/requests/a/params/messages/0/content",
            ),
            (with_params(SAMPLE, messages=[{"role": "system"}]), "/requests/a/params/messages/0"),
            ({"method": "roots/list", "params": []}, "/requests/a/params"),
            ({**ELICIT, "optional": 1}, "/requests/a/optional"),
        ],
        ids=str,
    )
    def test_what_is_wrong_with_them(self, request_: object, fault: str) -> None:
        with pytest.raises(BadLine) as caught:
            asked({"a": request_})
        assert fault in str(caught.value)

    @pytest.mark.parametrize(
        "field",
        [
            {"type": "string", "default": "John Doe", "format": "email", "maxLength": 9},
            {"type": "integer", "default": 30, "minimum": 0},
            {"type": "number", "default": 95.5},
            {"type": "string", "enum": ["a", "b"], "enumNames": ["A", "B"]},
            {"type": "string", "oneOf": [{"const": "a", "title": "A"}]},
            {"type": "boolean", "default": True},
            {"type": "string", "maxLength": 2**53 - 1},
            {"type": "array", "items": {"type": "string", "enum": ["a"]}, "default": ["a"]},
            {"type": "array", "items": {"anyOf": [{"const": "a", "title": "A"}]}},
        ],
        ids=str,
    )
    def test_a_form_goes_on_word_for_word(self, field: object) -> None:
        request = with_field(field)
        assert asked({"a": request}).asks["a"].request.params == request["params"]

    def test_what_nobody_sees_in_a_question_does_not_go_on(self) -> None:
        request = with_params(ELICIT, message="Pay \u202e001\u202c\u200b euros?")
        assert asked({"a": request}).asks["a"].request.params["message"] == "Pay 001 euros?"

    def test_a_date_in_a_message_goes_on(self) -> None:
        said = [{"role": "user", "content": dated("2025-01-12T15:00:58Z")}]
        request = with_params(SAMPLE, messages=said)
        assert asked({"a": request}).asks["a"].request.params == request["params"]

    def test_only_what_each_method_has_goes_on(self) -> None:
        extra = {"_meta": {"progressToken": 1}, "task": {"ttl": 1}, "includeContext": "allServers"}
        asks = asked({"a": with_params(ELICIT, **extra), "b": with_params(SAMPLE, **extra)}).asks
        assert asks["a"].request.params == ELICIT["params"]
        assert asks["b"].request.params == SAMPLE["params"]

    @pytest.mark.parametrize(
        "url",
        [
            "https://a.example",
            "https://a.example:8443/x?y#z",
            "http://127.0.0.1:9/x",
            "http://localhost/",
            "http://[::1]:80/",
            "http://127.9.9.9/",
        ],
    )
    def test_where_a_person_may_be_sent(self, url: str) -> None:
        ask = asked({"a": {"method": "elicitation/create", "params": {**URL, "url": url}}}).asks[
            "a"
        ]
        assert ask.request.params == {**URL, "url": url}

    @pytest.mark.parametrize(
        "url",
        [
            "http://a.example",
            "javascript:alert(1)",
            "//a.example",
            "https://",
            "data:text/html,x",
            "https://bank.example@evil.example/",
            "https://a b",
            "https://a\\b",
            "https://[::1",
            "https://a:99999999/",
            "http://localhost.evil.example/",
            "ftp://a.example/",
            "app://a.example/",
            "https://ä.example",
            "https://a%00b/",
            "https://a<b>/",
            "https://1.2.3.256/",
            "https://xn--a/",
            "https://a.example/" + "x" * 8_192,
            "",
            "\n",
        ],
    )
    def test_where_not(self, url: str) -> None:
        with pytest.raises(BadLine, match="/requests/a/params/url"):
            asked({"a": {"method": "elicitation/create", "params": {**URL, "url": url}}})


class TestContent:
    def test_every_block(self) -> None:
        noted = {"annotations": {"audience": ["user"], "priority": 1, "x": 2}, "_meta": {"a/b": 1}}
        kept = {"audience": ["user"], "priority": 1}
        answer = native(
            {"type": "text", "text": "hi", **noted},
            {"type": "image", "data": "aGk=", "mimeType": "image/png"},
            {"type": "resource", "resource": {"uri": "test://a", "text": "t", "_meta": {"x": 1}}},
            {"type": "resource", "resource": {"uri": "a:b", "blob": "aGk=", "mimeType": "a/b"}},
            {"type": "resource_link", "uri": "https://a.example/x", "name": "X", "size": 4.0},
            structured=None,
            is_error=True,
        )
        assert answer.content == (
            Text(text="hi", annotations=kept, meta={"a/b": 1}),
            Image(data="aGk=", media_type="image/png"),
            Resource(uri="test://a", media_type=None, text="t"),
            Resource(uri="a:b", media_type="a/b", blob="aGk="),
            Link(uri="https://a.example/x", name="X", size=4),
        )
        assert answer.structured == Structured(value=None)
        assert answer.is_error

    def test_nothing_structured_is_not_null(self) -> None:
        assert native({"type": "text", "text": ""}).structured is None

    @pytest.mark.parametrize(
        ("block", "fault"),
        [
            ("hi", "/content/0: is no object"),
            ({"type": "video"}, "/content/0/type: is none of text, image"),
            ({"type": "text"}, "/content/0/text: is required"),
            ({"type": "image", "data": "a=b", "mimeType": "image/png"}, "/content/0/data"),
            ({"type": "image", "data": "", "mimeType": "png"}, "/content/0/mimeType"),
            ({"type": "audio", "data": "aGk="}, "/content/0/mimeType: is required"),
            ({"type": "resource", "resource": {"uri": "a:b"}}, "/content/0/resource"),
            ({"type": "resource", "resource": {"uri": "no uri", "text": ""}}, "/resource/uri"),
            ({"type": "resource", "resource": {"uri": "a:b", "blob": "!"}}, "/resource/blob"),
            ({"type": "resource_link", "uri": "http://", "name": "x"}, "/content/0/uri"),
            ({"type": "resource_link", "uri": "http://a:b:c/", "name": "x"}, "/content/0/uri"),
            ({"type": "resource_link", "uri": "http://a<b>/", "name": "x"}, "/content/0/uri"),
            ({"type": "resource_link", "uri": "http://1.2.3.256/", "name": "x"}, "/content/0/uri"),
            ({"type": "resource", "resource": {"uri": "ws://xn--a", "text": ""}}, "/resource/uri"),
            (
                {"type": "resource_link", "uri": "a:b", "name": "x", "size": 2**53},
                "/content/0/size",
            ),
            ({"type": "resource_link", "uri": "a:b"}, "/content/0/name: is required"),
            ({"type": "text", "text": "", "annotations": {"priority": 2}}, "/annotations/priority"),
            ({"type": "text", "text": "", "annotations": {"audience": ["all"]}}, "/audience/0"),
        ],
        ids=str,
    )
    def test_what_is_wrong_with_it(self, block: object, fault: str) -> None:
        with pytest.raises(BadLine) as caught:
            native(block)
        assert fault in str(caught.value)

    @pytest.mark.parametrize(
        "text",
        [
            "2025-01-12T15:00:58Z",
            "2025-01-12T15:00:58.25+02:00",
            "2024-02-29T23:59:59-12:30",
            "2000-02-29T00:00:00Z",
        ],
    )
    def test_a_date_is_kept(self, text: str) -> None:
        (block,) = native(dated(text)).content
        assert block.annotations == {"lastModified": text}

    @pytest.mark.parametrize(
        "text",
        [
            "garbage",
            "",
            "2020-01-01",
            "2020-01-01T00:00:00",
            "2020-01-01 00:00:00Z",
            "2020-01-01t00:00:00z",
            "2020-01-01T24:00:00Z",
            "2020-01-01T23:59:60Z",
            "2020-01-01T00:00:00+0200",
            "2020-01-01T00:00:00+24:00",
            "2020-13-01T00:00:00Z",
            "2020-04-31T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2020-01-01T00:00:00Z\n",
            "٢٠٢٠-01-01T00:00:00Z",
        ],
        ids=ascii,
    )
    def test_what_is_no_date_is_left_out(self, text: str) -> None:
        (block,) = native(dated(text)).content
        assert block.annotations is None

    def test_the_other_annotations_stay(self) -> None:
        block = {**dated("garbage"), "annotations": {"priority": 1, "lastModified": "garbage"}}
        assert native(block).content[0].annotations == {"priority": 1}

    def test_how_many_blocks_there_may_be(self) -> None:
        text = {"type": "text", "text": ""}
        assert len(native(*[text] * MAX_BLOCKS).content) == MAX_BLOCKS
        with pytest.raises(BadLine, match="/content: has more than 1,000 blocks"):
            native(*[text] * (MAX_BLOCKS + 1))

    @pytest.mark.parametrize(
        "key",
        [
            "plain",
            "mcp/x",
            "tools.mcp.com/x",
            "io.modelcontextprotocol/x",
            "MCP.dev/x",
            "/x",
            "io.opencontextprotocol/context-id",
            "-a/b",
            "a..b/c",
            "a/b/c",
            "a" * 300 + "/b",
        ],
    )
    def test_meta_that_is_not_the_apis_to_say(self, key: str) -> None:
        (block,) = native({"type": "text", "text": "", "_meta": {key: 1}}).content
        assert block.meta is None

    @pytest.mark.parametrize("key", ["com.example/x", "a/", "a-b.c/x.y-z_1", "mcps.example/x"])
    def test_meta_that_is(self, key: str) -> None:
        (block,) = native({"type": "text", "text": "", "_meta": {key: 1}}).content
        assert block.meta == {key: 1}


PROGRESS = b'{"type":"progress","progress":1}'
RESULT = b'{"type":"result","json":1}'


def lines_in(*pieces: bytes) -> list[Line | None]:
    reader = EnvelopeReader()
    found = [reader.read(line) for piece in pieces for line in reader.feed(piece)]
    return [*found, reader.read(rest)] if (rest := reader.finish()) else found


class TestReading:
    WHOLE = PROGRESS + b"\r\n\n" + PROGRESS + b"\n" + RESULT + b"\n"

    @given(st.lists(st.integers(0, len(WHOLE)), max_size=6))
    def test_however_it_is_cut(self, cuts: list[int]) -> None:
        edges = [0, *sorted(cuts), len(self.WHOLE)]
        pieces = [self.WHOLE[a:b] for a, b in pairwise(edges)]
        step = Progress(progress=1)
        assert lines_in(*pieces) == [step, None, step, JsonAnswer(data=b"1")]

    def test_the_last_line_needs_no_end(self) -> None:
        assert lines_in(RESULT) == [JsonAnswer(data=b"1")]

    def test_a_line_is_said_as_soon_as_it_is_there(self) -> None:
        reader = EnvelopeReader()
        assert list(reader.feed(PROGRESS)) == []
        assert list(reader.feed(b"\n{")) == [PROGRESS]

    @pytest.mark.parametrize(
        ("data", "fault"),
        [
            (PROGRESS + b"\nhello\n", "line 2: is no JSON"),
            (RESULT + b"\n" + PROGRESS + b"\n", "line 2: comes after the last line"),
            (RESULT + b"\n" + RESULT, "line 2: comes after the last line"),
            (b"\n\n{}\n", "line 3: /type"),
            (b"x" * (MAX_LINE + 1), "line 1: is longer than 1 MiB"),
            (b"x" * (MAX_LINE + 1) + b"\n", "line 1: is longer than 1 MiB"),
            (b"\n" * (MAX_LINES + 1), "has more than 10,000 lines"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_faults_name_their_line(self, data: bytes, fault: str) -> None:
        with pytest.raises(BadEnvelope) as caught:
            lines_in(data)
        assert str(caught.value).startswith(fault)

    def test_a_line_that_is_too_long_is_not_read_to_its_end(self) -> None:
        with pytest.raises(BadEnvelope, match="line 1: is longer than 1 MiB"):
            list(EnvelopeReader().feed(b"x" * (MAX_LINE + 1)))

    def test_how_much_there_may_be_in_all(self) -> None:
        reader = EnvelopeReader()
        line = b" " * (MAX_LINE - 1) + b"\n"
        for _ in range(MAX_BYTES // MAX_LINE):
            assert len(list(reader.feed(line))) == 1
        with pytest.raises(BadEnvelope, match="has more than 67,108,864 bytes"):
            list(reader.feed(b"\n"))

    def test_a_line_of_exactly_the_bound(self) -> None:
        head, tail = b'{"type":"result","json":"', b'"}'
        line = head + b"x" * (MAX_LINE - len(head) - len(tail)) + tail
        assert len(line) == MAX_LINE
        assert len(lines_in(line + b"\n")) == 1

    @given(st.binary(max_size=200) | st.lists(st.sampled_from([PROGRESS, RESULT])).map(b"\n".join))
    def test_any_bytes_give_lines_or_a_named_fault(self, data: bytes) -> None:
        with suppress(BadEnvelope):
            lines_in(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["type", "requests", "method", "params", "content", "text", "uri", "a"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.sampled_from(["progress", "log", "input_required", "result"]),
    st.dictionaries(
        st.sampled_from(
            ["progress", "level", "data", "requests", "state", "json", "content", "structured"]
        ),
        JSON,
    ),
)
def test_any_json_gives_a_line_or_a_fault(kind: str, members: dict[str, object]) -> None:
    with suppress(BadLine):
        read({"type": kind, **members})


SCHEMAS = Path(__file__).parents[1] / "support" / "mcp_schemas"
VALUES = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["a", "email", "string"])
CHOICE = {"const": "a", "title": "A"}
ROUGHLY_FIELDS = [
    {"type": "string", "format": "email", "default": "a", "minLength": 1, "title": "T"},
    {"type": "string", "enum": ["a"], "enumNames": ["A"]},
    {"type": "string", "oneOf": [CHOICE]},
    {"type": "integer", "minimum": 0, "maximum": 5, "default": 1},
    {"type": "boolean", "default": True},
    {"type": "array", "items": {"type": "string", "enum": ["a"]}, "minItems": 0, "default": ["a"]},
    {"type": "array", "items": {"anyOf": [CHOICE]}},
]
ROUGHLY_SAID = [
    {"type": "text", "text": "a"},
    {"type": "image", "data": "aGk=", "mimeType": "a/b"},
    {"type": "tool_use", "id": "1", "name": "n", "input": {}},
    {**TOOL_RESULT, "content": [{"type": "text", "text": "a"}], "isError": True},
    [{"type": "audio", "data": "aGk=", "mimeType": "a/b"}],
]
ROUGHLY_MORE = [
    {"temperature": 0.5, "stopSequences": ["a"]},
    {"modelPreferences": {"hints": [{"name": "a"}], "costPriority": 1}},
    {"tools": [{"name": "n", "inputSchema": {"type": "object", "required": ["a"]}}]},
    {"toolChoice": {"mode": "auto"}},
]


def places(value: object, at: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """Where something stands, and where one more member could."""
    if isinstance(value, dict):
        yield (*at, "more")
        for key, member in value.items():
            yield (*at, key)
            yield from places(member, (*at, key))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield (*at, index)
            yield from places(member, (*at, index))


def changed(value: object, at: tuple[object, ...], new: object) -> object:
    if not at:
        return new
    if isinstance(value, dict):
        return {**value, at[0]: changed(value.get(at[0]), at[1:], new)}
    assert isinstance(value, list)
    return [changed(v, at[1:], new) if i == at[0] else v for i, v in enumerate(value)]


@st.composite
def roughly(draw: st.DrawFn, right: list[object]) -> object:
    """One that is right, or has one thing changed in it."""
    value = draw(st.sampled_from(right))
    at = draw(st.sampled_from([None, *places(value)]))
    new = draw(VALUES | st.sampled_from([[], {}, ["a"], {"a": 1}]))
    return value if at is None else changed(value, at, new)


@pytest.mark.parametrize("revision", ["2025-11-25", "2026-07-28"])
class TestAgainstTheSchemasOfMcp:
    """What passes here is what a client's own check of the same revision lets through."""

    def check(self, revision: str, name: str, params: object) -> None:
        schema = json.loads((SCHEMAS / f"{revision}.json").read_text())
        wanted = {"$ref": f"#/$defs/{name}", "$defs": schema["$defs"]}
        jsonschema_rs.Draft202012Validator(wanted).validate(params)

    @given(field=roughly([*ROUGHLY_FIELDS]))
    def test_forms(self, revision: str, field: object) -> None:
        with suppress(BadLine):
            ask = asked({"a": with_field(field)}).asks["a"]
            self.check(revision, "ElicitRequestFormParams", ask.request.params)

    @given(content=roughly([*ROUGHLY_SAID]))
    def test_what_a_model_is_asked(self, revision: str, content: object) -> None:
        with suppress(BadLine):
            ask = asked({"a": with_params(SAMPLE, messages=[{"role": "user", "content": content}])})
            self.check(revision, "CreateMessageRequestParams", ask.asks["a"].request.params)

    @given(more=roughly([*ROUGHLY_MORE]))
    def test_how_it_is_asked(self, revision: str, more: dict[str, object]) -> None:
        with suppress(BadLine):
            ask = asked({"a": with_params(SAMPLE, **more)}).asks["a"]
            self.check(revision, "CreateMessageRequestParams", ask.request.params)

    @pytest.mark.parametrize("field", ROUGHLY_FIELDS, ids=str)
    def test_right_forms_pass(self, revision: str, field: object) -> None:
        ask = asked({"a": with_field(field)}).asks["a"]
        self.check(revision, "ElicitRequestFormParams", ask.request.params)

    @pytest.mark.parametrize("content", ROUGHLY_SAID, ids=str)
    @pytest.mark.parametrize("more", ROUGHLY_MORE, ids=str)
    def test_right_requests_to_models_pass(
        self, revision: str, content: object, more: dict[str, object]
    ) -> None:
        messages = [{"role": "user", "content": content}]
        ask = asked({"a": with_params(SAMPLE, messages=messages, **more)}).asks["a"]
        self.check(revision, "CreateMessageRequestParams", ask.request.params)
