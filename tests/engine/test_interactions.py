"""Calls of an API that answers line by line, round after round."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from itertools import count
from threading import get_ident

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls import EnvelopeReader, Image, Line, Structured, Text
from gateway.catalog import Catalog, ToolOverride
from gateway.engine import AskedInVain, ContextClaim, Continuation, Progress
from gateway.errors import InputRequired, UpstreamError, UpstreamTimeout
from gateway.messages import Request, Response, ResponseHead, header, header_values
from gateway.upstreams import ContextUpdates, Upstream
from tests.support.asking import (
    HEAD,
    INTERACTION,
    ROOTS,
    SAMPLE,
    Dialogue,
    Heard,
    Json,
    accept,
    asks,
    call_of,
    dialogue,
    envelope,
    form,
    lines,
)
from tests.support.engine import (
    SHOP,
    UPSTREAM,
    Answer,
    FakeClient,
    Stage,
    StoreWithSwitch,
    broken,
    gateway_with,
    stage,
)

ID = "ocp-00000001"
NAMED = ContextClaim(explicit_id=ID)
DONE = {"type": "result", "json": {"done": True}}
BODY = {"body": {"a": 1}}
POST_ENTRY = ("tool_call:addItem", "POST /items", "HTTP 200")


def on_stage(*answers: object, **changes: object) -> Stage:
    """A shop that speaks the envelope; of several answers each is given once, in order."""
    on = stage(**{"interaction": True, **changes})
    left = list(answers)
    on.client.answer = lambda _: left.pop(0)  # type: ignore[assignment, return-value]
    return on


async def add(on: Stage, **changes: object) -> Dialogue:
    return await dialogue(on.gateway, call_of("addItem", BODY, **{"claim": NAMED, **changes}))


def continued(on: Stage) -> dict[str, object]:
    body = on.client.requests[-1].body
    assert isinstance(body, bytes)
    value = json.loads(body)
    assert isinstance(value, dict)
    return value


class TestTheRequest:
    async def test_an_api_that_has_agreed_is_told_what_its_caller_can_take(self) -> None:
        on = on_stage(Answer())
        await add(on, abilities=frozenset({"progress", "sampling"}))
        assert header(on.client.last, "Gateway-Interaction") == "progress, sampling"
        assert header_values(on.client.last, "Accept") == (f"{INTERACTION}, */*;q=0.5",)

    async def test_another_is_told_nothing_and_its_lines_are_text(self) -> None:
        on = on_stage(envelope(DONE), interaction=False)
        told = await add(on)
        assert header(on.client.last, "Gateway-Interaction") is None
        assert INTERACTION not in str(header(on.client.last, "Accept"))
        assert told.outcome is not None
        assert told.outcome.result.content == (Text(text=lines(DONE).decode()),)
        assert told.outcome.result.structured is None

    async def test_the_caller_cannot_say_it_in_its_own_name(self) -> None:
        on = on_stage(Answer(), forward_headers=frozenset({"gateway-interaction"}))
        await add(on, headers=(("Gateway-Interaction", "forged"),), abilities=frozenset())
        assert header_values(on.client.last, "Gateway-Interaction") == ("",)

    async def test_a_preview_shows_it_and_asks_nothing(self) -> None:
        on = on_stage()
        preview = await on.gateway.preview_tool(call_of("addItem", BODY, abilities=frozenset()))
        assert dict(preview.headers)["Gateway-Interaction"] == ""
        assert dict(preview.headers)["Accept"].startswith(INTERACTION)


class TestTheResult:
    async def test_json_is_as_if_the_api_had_answered_it(self) -> None:
        on = on_stage(envelope(DONE))
        done = (await add(on)).outcome
        assert done is not None
        assert (done.context_id, done.recorded) == (ID, True)
        assert done.result.content == (Text(text='{"done":true}'),)
        assert done.result.structured == Structured(value={"done": True})
        assert done.result.status == 200
        assert dict(done.result.headers) == {"Content-Type": "application/json"}

    async def test_it_is_selected_from_as_ever(self) -> None:
        on = on_stage(envelope({"type": "result", "json": {"a": {"b": 7}}}))
        tool = replace(SHOP.tools["addItem"], override=ToolOverride(select="a.b"))
        on.gateway.catalog = Catalog([replace(SHOP, tools={**SHOP.tools, "addItem": tool})])
        assert (await add(on)).text == "7"

    async def test_too_large_it_is_an_excerpt(self) -> None:
        on = on_stage(envelope({"type": "result", "json": "x" * 500}), max_response_bytes=100)
        assert (await add(on)).text.startswith("[Excerpt: the first 100 bytes")

    async def test_native_content(self) -> None:
        image = {"type": "image", "data": "aGk=", "mimeType": "image/png"}
        text = {"type": "text", "text": "hi"}
        on = on_stage(envelope({"type": "result", "content": [text, image], "structured": [1]}))
        done = (await add(on)).outcome
        assert done is not None
        assert done.result.content == (Text(text="hi"), Image(data="aGk=", media_type="image/png"))
        assert done.result.structured == Structured(value=[1])
        assert not done.result.is_error

    @pytest.mark.parametrize(
        ("answer", "text"),
        [
            ({"content": []}, "HTTP 200, no content"),
            ({"content": [], "structured": {"a": 1}}, '{"a":1}'),
            ({"content": [], "is_error": True}, "HTTP 200, the API reports an error"),
            ({"content": [{"type": "text", "text": " "}], "is_error": True}, "reports an error"),
            ({"content": [{"type": "text", "text": "No."}], "is_error": True}, "No."),
        ],
        ids=str,
    )
    async def test_it_always_says_something(self, answer: dict[str, object], text: str) -> None:
        told = await add(on_stage(envelope({"type": "result", **answer})))
        assert told.outcome is not None
        assert text in told.text
        assert told.outcome.result.is_error is bool(answer.get("is_error"))

    async def test_native_content_larger_than_a_result_may_be_is_refused(self) -> None:
        text = {"type": "text", "text": "x" * 200}
        on = on_stage(envelope({"type": "result", "content": [text]}), max_response_bytes=100)
        assert "is larger than a result may be" in (await add(on)).text

    @pytest.mark.parametrize("status", [400, 503])
    async def test_a_refusal_is_one_whatever_its_type(self, status: int) -> None:
        told = await add(on_stage(envelope(DONE, status=status)))
        assert told.outcome is not None
        assert told.outcome.result.is_error
        assert told.text.startswith(f"HTTP {status} from POST /items")

    async def test_other_types_are_ordinary_answers(self) -> None:
        told = await add(on_stage(Answer(chunks=(b'{"a":1}',))))
        assert told.text == '{"a":1}'

    async def test_the_context_moves_on_by_the_answer_that_ends_it(self) -> None:
        said = envelope(asks({"a": form()}))
        named = (*HEAD, ("OCP-Context-ID", ID))
        said = replace(said, headers=(*named, ("OCP-Current-Goal", "early")))
        end = replace(envelope(DONE), headers=(*named, ("OCP-Current-Goal", "late")))
        on = on_stage(said, end, context_updates=ContextUpdates.ALL)
        talk = await add(on)
        assert await on.context(ID) is None
        await talk.answer(a=accept(name="x"))
        context = await on.context(ID)
        assert context is not None
        assert context.current_goal == "late"


class TestBrokenOff:
    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (Answer(headers=HEAD, chunks=()), "it ended without a last line"),
            (envelope({"type": "progress", "progress": 1}), "it ended without a last line"),
            (Answer(headers=HEAD, chunks=(b"oops\n",)), "line 1: is no JSON"),
            (envelope(DONE, DONE), "line 2: comes after the last line"),
            (envelope({"type": "progress", "progress": 1}, {"type": "?"}), "line 2: /type"),
            (replace(envelope(), breaks=broken(UpstreamError)), "shop failed"),
            (
                replace(envelope(DONE), headers=(*HEAD, ("Content-Encoding", "br"))),
                "content coding 'br' is not known",
            ),
        ],
        ids=["empty", "no end", "no JSON", "two ends", "unknown line", "cut", "coding"],
    )
    async def test_is_an_error_that_says_where(self, answer: Answer, reason: str) -> None:
        on = on_stage(answer)
        told = await add(on)
        assert told.outcome is not None
        assert told.outcome.result.is_error
        assert told.text.startswith("HTTP 200 from POST /items, but the interaction broke: ")
        assert reason in told.text
        assert told.text.endswith(
            "It may have been carried out all the same: check before trying again."
        )
        assert await on.entries(ID) == [POST_ENTRY]

    async def test_reading_may_be_tried_again(self) -> None:
        on = on_stage(Answer(headers=HEAD, chunks=()))
        told = await dialogue(on.gateway, call_of("listItems", {}))
        assert told.text.endswith("Retrying may help.")

    async def test_nothing_is_sent_twice(self) -> None:
        on = on_stage(Answer(headers=HEAD, chunks=(b"oops\n",)))
        await dialogue(on.gateway, call_of("listItems", {}))
        assert len(on.client.requests) == 1

    async def test_a_cut_after_the_last_line_costs_nothing(self) -> None:
        on = on_stage(replace(envelope(DONE), breaks=broken(UpstreamError)))
        assert (await add(on)).text == '{"done":true}'

    async def test_silence_ends_it_and_is_recorded(self) -> None:
        stalls = asyncio.Event()
        answer = envelope({"type": "progress", "progress": 1})
        on = on_stage(replace(answer, stalls=stalls), timeout_seconds=0.3)
        told = await add(on)
        assert stalls.is_set()
        assert told.text.startswith("shop did not answer in 0.3 s.")
        assert await on.entries(ID) == [("tool_call:addItem", "POST /items", "timeout")]

    async def test_a_connection_left_open_after_the_last_line_is_not_waited_for(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("gateway.engine.interactions.PARTING_SECONDS", 0.01)
        on = on_stage(replace(envelope(DONE), stalls=asyncio.Event()))
        async with asyncio.timeout(10):
            assert (await add(on)).text == '{"done":true}'

    async def test_a_caller_that_leaves_is_recorded(self) -> None:
        stalls = asyncio.Event()
        on = on_stage(replace(envelope(), stalls=stalls))
        task = asyncio.ensure_future(add(on))
        await stalls.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await on.gateway.aclose()
        assert await on.entries(ID) == [("tool_call:addItem", "POST /items", "cancelled")]

    async def test_no_head_is_a_timeout(self) -> None:
        on = on_stage(Answer(hold=asyncio.Event()), timeout_seconds=0.05)
        assert "did not answer in 0.05 s" in (await add(on)).text

    async def test_an_ordinary_answer_has_the_ordinary_time_in_all(self) -> None:
        stalls = asyncio.Event()
        on = on_stage(Answer(chunks=(b"{",), stalls=stalls), timeout_seconds=0.4)
        async with asyncio.timeout(20):
            told = await add(on)
        assert stalls.is_set()
        assert "did not answer in 0.4 s" in told.text
        assert await on.entries(ID) == [POST_ENTRY]

    async def test_the_clients_own_timeout_counts_as_one(self) -> None:
        on = on_stage(replace(envelope(), breaks=broken(UpstreamTimeout)))
        await add(on)
        assert await on.entries(ID) == [("tool_call:addItem", "POST /items", "timeout")]


STEPS = tuple({"type": "progress", "progress": n, "total": 3} for n in (0, 1, 1, 0.5, 3))
LOG: Json = {"type": "log", "level": "warning", "data": {"left": 3}, "logger": "disk"}


class Slow(FakeClient):
    """Takes 0.8 seconds, of a clock of its own, for each chunk."""

    def __init__(self, *chunks: bytes) -> None:
        super().__init__()
        self.chunks = chunks
        self.now = 0.0

    @asynccontextmanager
    async def send(
        self, request: Request, upstream: Upstream, *, deadline: float | None
    ) -> AsyncIterator[Response]:
        self.deadlines.append(deadline)
        yield Response(head=ResponseHead(status=200, headers=HEAD), body=self._body())

    async def _body(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            self.now += 0.8
            await asyncio.sleep(0)
            yield chunk


async def slowly(*chunks: bytes) -> tuple[Dialogue, Slow]:
    """A call of an API that may be silent for a second, and takes that long for each chunk."""
    client = Slow(*chunks)
    upstream = replace(UPSTREAM, interaction=True, timeout_seconds=1)
    gateway = gateway_with(client, StoreWithSwitch(), {"shop": upstream})
    gateway._monotonic = lambda: client.now
    return await dialogue(gateway, call_of("addItem", BODY)), client


class TestPatience:
    @pytest.mark.parametrize("line", [b"\n", b" \r\n", lines(STEPS[0]), lines(LOG)], ids=ascii)
    async def test_each_line_renews_it(self, line: bytes) -> None:
        talk, client = await slowly(line, line, line, lines(DONE))
        assert talk.text == '{"done":true}'
        assert client.deadlines == [3_600.0]

    async def test_none_does_after_the_last(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("gateway.engine.interactions.PARTING_SECONDS", 2.0)
        talk, client = await slowly(lines(DONE), *[b"\n"] * 9)
        assert talk.text == '{"done":true}'
        # Three more within two seconds, and one that nobody waits for.
        assert client.now == pytest.approx(0.8 * 5)

    async def test_what_is_no_line_yet_does_not(self) -> None:
        whole = lines(DONE)
        talk, _ = await slowly(*(whole[i : i + 5] for i in range(0, len(whole), 5)))
        assert "did not answer in 1 s" in talk.text

    async def test_without_interactions_a_call_has_its_time_in_all(self) -> None:
        client = Slow(lines(DONE))
        gateway = gateway_with(client, StoreWithSwitch(), {"shop": replace(UPSTREAM)})
        gateway._monotonic = lambda: client.now
        await dialogue(gateway, call_of("addItem", BODY))
        assert client.deadlines == [UPSTREAM.timeout_seconds]


class TestOthersMeanwhile:
    """What an API says keeps nobody else waiting."""

    @pytest.mark.parametrize(
        ("length", "is_apart"), [(16_384, False), (16_385, True)], ids=["short", "long"]
    )
    async def test_a_long_line_is_read_in_a_thread(
        self, length: int, is_apart: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        threads: list[int] = []

        class Watched(EnvelopeReader):
            def read(self, line: bytes) -> Line | None:
                threads.append(get_ident())
                return super().read(line)

        monkeypatch.setattr("gateway.engine.interactions.EnvelopeReader", Watched)
        line = lines(DONE).strip()
        padded = line + b" " * (length - len(line))
        on = on_stage(Answer(headers=HEAD, chunks=(padded + b"\n", b" " * length)))
        assert (await add(on)).text == '{"done":true}'
        assert [thread != get_ident() for thread in threads] == [is_apart] * 2

    async def test_between_lines_that_come_at_once_they_have_a_turn(self) -> None:
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        on = on_stage(Answer(headers=HEAD, chunks=(b"\n" * 500 + lines(DONE),)))
        async with asyncio.TaskGroup() as group:
            task = group.create_task(others())
            await add(on)
            task.cancel()
        assert turns > 500


class TestWhileItRuns:
    async def test_the_listener_hears_progress_that_grows_and_logs(self) -> None:
        heard = Heard()
        await add(on_stage(envelope(*STEPS, LOG, DONE)), listener=heard)
        assert heard.progresses == [Progress(progress=n, total=3) for n in (0, 1, 3)]
        assert [(log.level, log.data, log.logger) for log in heard.logs] == [
            ("warning", {"left": 3}, "disk")
        ]

    @pytest.mark.parametrize(
        ("abilities", "heard"),
        [({"log"}, (0, 1)), ({"progress"}, (3, 0)), (set(), (0, 0))],
        ids=str,
    )
    async def test_only_what_it_can_take(self, abilities: set[str], heard: tuple[int, int]) -> None:
        listener = Heard()
        on = on_stage(envelope(*STEPS, LOG, DONE))
        await add(on, listener=listener, abilities=frozenset(abilities))
        assert (len(listener.progresses), len(listener.logs)) == heard

    async def test_without_one_nobody_is_told(self) -> None:
        assert (await add(on_stage(envelope(*STEPS, LOG, DONE)))).outcome is not None

    async def test_ten_steps_are_told_in_any_second(self) -> None:
        looks = count()
        at: list[float] = []

        class Watched(Heard):
            async def progress(self, progress: Progress) -> None:
                at.append(next(looks) / 100)
                await super().progress(progress)

        heard = Watched()
        on = on_stage(envelope(*({"type": "progress", "progress": n} for n in range(200)), DONE))
        on.gateway._monotonic = lambda: next(looks) / 100
        await add(on, listener=heard)
        said = [step.progress for step in heard.progresses]
        assert said[:10] == list(range(10))
        assert said == sorted(said)
        assert len(said) > 20
        assert all(later - sooner > 0.98 for sooner, later in zip(at, at[10:], strict=False))

    async def test_a_get_tells_but_does_not_ask(self) -> None:
        heard = Heard()
        on = on_stage(envelope(STEPS[0], asks({"a": form()})))
        told = await dialogue(on.gateway, call_of("listItems", {}, listener=heard))
        assert header(on.client.last, "Gateway-Interaction") == "progress, log"
        assert len(heard.progresses) == 1
        assert "it asks, which GET with such a body cannot" in told.text


class TestAsking:
    async def test_a_question_and_its_answer(self) -> None:
        on = on_stage(envelope(asks({"user_name": form()}, state={"step": 1})), envelope(DONE))
        talk = await add(on)
        assert talk.required is not None
        assert talk.required.context_id == ID
        assert talk.required.requests["user_name"].params == form()["params"]

        await talk.answer(user_name=accept(name="Alice"))

        first, second = on.client.requests
        assert (second.head.method, second.head.target) == (first.head.method, first.head.target)
        assert header_values(second.head.headers, "Content-Type") == (INTERACTION,)
        assert continued(on) == {
            "type": "continue",
            "body": {"a": 1},
            "responses": {"user_name": accept(name="Alice")},
            "state": {"step": 1},
        }
        assert talk.text == '{"done":true}'

    async def test_all_rounds_are_one_call(self) -> None:
        on = on_stage(
            envelope(asks({"a": form()}, state=1)),
            envelope(asks({"b": ROOTS}, state=2)),
            envelope(DONE),
        )
        talk = await add(on)
        await talk.answer(a=accept(name="x"))
        assert await on.stored() == ()
        await talk.answer(b={"roots": []})
        assert await on.entries(ID) == [POST_ENTRY]
        assert talk.outcome is not None
        assert talk.outcome.recorded

    async def test_without_a_state_of_its_own_nothing_has_to_come_back(self) -> None:
        on = on_stage(envelope(asks({"a": form()})), envelope(DONE))
        talk = await add(on)
        assert talk.required is not None
        assert talk.required.state is None
        await talk.answer(a=accept(name="x"))
        assert continued(on)["state"] is None

    async def test_answers_out_of_the_cold_go_up_too(self) -> None:
        on = on_stage(envelope(asks({"a": form()})))
        cold = Continuation(responses={"wrong_key": accept(x=1), "a": 12345})
        talk = await add(on, continuation=cold)
        assert continued(on)["responses"] == {"wrong_key": accept(x=1)}
        assert talk.required is not None

    async def test_an_api_that_has_not_agreed_gets_no_answers(self) -> None:
        on = on_stage(Answer(), interaction=False)
        await add(on, continuation=Continuation(responses={"a": accept(x=1)}))
        assert on.client.requests[0].body == b'{"a":1}'

    async def test_nor_does_an_operation_that_cannot_ask(self) -> None:
        on = on_stage(Answer())
        call = call_of("listItems", {}, continuation=Continuation(responses={"a": accept(x=1)}))
        await dialogue(on.gateway, call)
        assert on.client.requests[0].body is None

    async def test_decline_is_an_answer(self) -> None:
        on = on_stage(envelope(asks({"a": form()}, state=1)), envelope(DONE))
        talk = await add(on)
        await talk.answer(a={"action": "decline"})
        assert continued(on)["responses"] == {"a": {"action": "decline"}}

    async def test_eight_times_and_no_more(self) -> None:
        on = on_stage(*(envelope(asks({"a": form()}, state=n)) for n in range(1, 10)))
        talk = await add(on)
        for _ in range(8):
            assert talk.required is not None
            await talk.answer(a=accept(name="x"))
        assert "asks again after 8 rounds" in talk.text
        assert await on.entries(ID) == [POST_ENTRY]


OPTIONAL: Json = {**SAMPLE, "optional": True}


class TestWhoCannotBeAsked:
    """What is optional is dropped, what is not ends the call."""

    @pytest.mark.parametrize(
        ("requests", "missing"),
        [
            ({"a": form()}, {"elicitation.form"}),
            ({"a": form(), "b": SAMPLE}, {"elicitation.form", "sampling"}),
            ({"a": form(), "b": OPTIONAL}, {"elicitation.form"}),
            ({"a": OPTIONAL}, {"sampling"}),
            ({"a": OPTIONAL, "b": {**form(), "optional": True}}, {"sampling", "elicitation.form"}),
        ],
        ids=["one", "two", "one of two", "optional, nothing else", "both optional"],
    )
    async def test_the_union_of_what_is_missing(
        self, requests: dict[str, object], missing: set[str]
    ) -> None:
        on = on_stage(envelope(asks(requests)))
        with pytest.raises(AskedInVain) as caught:
            await add(on, abilities=frozenset({"roots"}))
        assert caught.value.missing == missing
        assert caught.value.context_id == ID
        assert caught.value.recorded
        assert caught.value.result.is_error
        assert caught.value.result.status == 200
        assert await on.entries(ID) == [POST_ENTRY]

    async def test_what_is_optional_is_dropped(self) -> None:
        on = on_stage(envelope(asks({"a": {**form(), "optional": True}, "b": OPTIONAL})))
        talk = await add(on, abilities=frozenset({"sampling"}))
        assert talk.required is not None
        assert set(talk.required.requests) == {"b"}

    async def test_all_dropped_with_a_state_leaves_the_state(self) -> None:
        on = on_stage(envelope(asks({"a": OPTIONAL}, state=1)), envelope(DONE))
        talk = await add(on, abilities=frozenset())
        assert talk.required is not None
        assert talk.required.requests == {}
        await talk.answer()
        assert continued(on)["responses"] == {}
        assert continued(on)["state"] == 1

    async def test_the_store_being_down_is_said(self) -> None:
        on = on_stage(envelope(asks({"a": form()})))
        on.store.up = False
        with pytest.raises(AskedInVain) as caught:
            await add(on, abilities=frozenset())
        assert not caught.value.recorded


@given(
    st.lists(st.binary(max_size=40) | st.sampled_from([lines(STEP) for STEP in STEPS]), max_size=6),
    st.sampled_from([b"", lines(DONE), lines(asks({"a": form()})), lines(asks({"a": SAMPLE}))]),
)
def test_any_bytes_end_a_call_in_one_of_three_ways(said: list[bytes], last: bytes) -> None:
    async def run() -> None:
        on = on_stage(Answer(headers=HEAD, chunks=(*said, last)))
        with suppress(InputRequired, AskedInVain):
            told = await add(on, abilities=frozenset({"elicitation.form", "progress"}))
            if told.required is None:
                assert await on.entries(ID) == [POST_ENTRY]

    asyncio.run(run())


async def test_a_context_of_the_first_round_can_be_named_in_the_next() -> None:
    on = on_stage(envelope(asks({"a": form()}, state=1)), envelope(DONE))
    talk = await add(on, claim=ContextClaim())
    assert talk.required is not None
    assert talk.required.context_id is not None
    talk.call = replace(talk.call, claim=ContextClaim(ambient_id=talk.required.context_id))
    await talk.answer(a=accept(name="x"))
    assert talk.outcome is not None
    assert len(await on.entries(talk.outcome.context_id)) == 1


async def test_a_session_that_is_refused_costs_no_line() -> None:
    """An idempotent method is repeated without the session, before any line was read."""

    def behave(request: Request) -> Answer:
        refused = header(request.head.headers, "OCP-Session") is not None
        return Answer(status=431) if refused else envelope(DONE)

    on = stage(interaction=True)
    on.client.answer = behave
    told = await dialogue(on.gateway, call_of("listItems", {}, claim=NAMED))
    told = await dialogue(on.gateway, call_of("listItems", {}, claim=NAMED))
    assert told.text == '{"done":true}'
