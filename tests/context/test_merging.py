"""What others say about a context: taken once, reduced, bounded."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.context import (
    UPDATABLE,
    AgentContext,
    HistoryEntry,
    InboundContext,
    Statement,
    claims_of,
    is_valid_context,
    merge_claims,
    merge_updates,
    new_context,
    rfc3339,
    to_mapping,
    updates_of,
)

ID = "ocp-00000001"
START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = rfc3339(START + timedelta(hours=1))
STORED = new_context(ID, "tester", START)
EVERYTHING: dict[str, object] = {
    "current_goal": "ship",
    "context_summary": "so far",
    "error_context": "none",
    "current_file": "a.py",
    "recent_changes": ("one", "two"),
    "api_specs": {"pets": "https://pets.example/openapi.json"},
    "user": "ada",
    "workspace": "shop",
}


def at(minute: int, action: str = "tool_call:x", endpoint: str | None = "GET /x") -> HistoryEntry:
    moment = rfc3339(START + timedelta(minutes=minute))
    return HistoryEntry(timestamp=moment, action=action, api_endpoint=endpoint)


def claims(**members: object) -> Statement:
    history = members.pop("history", ())
    assert isinstance(history, tuple)
    return Statement(members=members, history=history)


def merged(context: AgentContext, said: Statement, *, max_history: int = 100) -> AgentContext:
    return merge_claims(context, said, now=NOW, max_history=max_history)


def session(**members: object) -> AgentContext:
    return replace(STORED, **members)  # type: ignore[arg-type]


def shown(context: AgentContext) -> list[tuple[str, str | None, str | None]]:
    return [(entry.action, entry.api_endpoint, entry.result) for entry in context.history]


class TestClaims:
    def test_every_member_that_a_caller_may_set_is_taken(self) -> None:
        said = claims_of(InboundContext(context_id=ID, session=session(**EVERYTHING)))
        assert said is not None
        after = merged(STORED, said)
        assert {name: getattr(after, name) for name in EVERYTHING} == EVERYTHING
        assert is_valid_context(to_mapping(after))

    def test_a_header_wins_over_the_session(self) -> None:
        inbound = InboundContext(context_id=ID, goal="header", session=session(current_goal="no"))
        said = claims_of(inbound)
        assert said is not None
        assert merged(STORED, said).current_goal == "header"

    def test_an_id_alone_claims_nothing(self) -> None:
        assert claims_of(InboundContext(context_id=ID, agent_type="x")) is None
        assert claims_of(InboundContext(context_id=ID, session=STORED)) is None

    def test_null_and_empty_erase_nothing(self) -> None:
        full = replace(STORED, **EVERYTHING)  # type: ignore[arg-type]
        said = claims_of(InboundContext(context_id=ID, session=session(current_goal="next")))
        assert said is not None
        after = merged(full, said)
        assert after.current_goal == "next"
        assert (after.recent_changes, after.user) == (("one", "two"), "ada")

    def test_what_was_claimed_before_undoes_no_later_change(self) -> None:
        once = merged(STORED, claims(current_goal="agent's", user="ada"))
        changed = replace(once, current_goal="patched meanwhile")
        assert merged(changed, claims(current_goal="agent's", user="ada")) == changed
        assert merged(changed, claims(current_goal="another")).current_goal == "another"

    def test_two_agents_that_take_turns_are_both_heard(self) -> None:
        context = STORED
        for goal in ("one", "other", "one"):
            context = merged(context, claims(current_goal=goal))
            assert context.current_goal == goal

    def test_the_order_of_an_object_says_nothing(self) -> None:
        once = merged(
            STORED, claims(api_specs={"a": "https://a.example", "b": "https://b.example"})
        )
        changed = replace(once, api_specs={"c": "https://c.example"})
        again = claims(api_specs={"b": "https://b.example", "a": "https://a.example"})
        assert merged(changed, again) == changed

    def test_our_own_members_stay(self) -> None:
        strange = session(agent_type="impostor", created_at=NOW, last_updated=NOW, **EVERYTHING)
        said = claims_of(InboundContext(context_id=ID, session=strange))
        assert said is not None
        after = merged(STORED, said)
        assert (after.agent_type, after.created_at, after.last_updated, after.session) == (
            STORED.agent_type,
            STORED.created_at,
            STORED.last_updated,
            STORED.session,
        )


class TestHistory:
    OURS = (at(10, "tool_call:ours"), at(30, "tool_call:ours"))

    def test_others_entries_stand_in_their_place_in_time(self) -> None:
        context = replace(STORED, history=self.OURS)
        after = merged(context, claims(history=(at(20, "tool_call:theirs"), at(5, "first"))))
        assert [entry.action for entry in after.history] == [
            "first",
            "tool_call:ours",
            "tool_call:theirs",
            "tool_call:ours",
        ]

    def test_the_same_entry_is_added_once(self) -> None:
        context = replace(STORED, history=self.OURS)
        said = claims(history=(*self.OURS, at(20), at(20)))
        once = merged(context, said)
        assert len(once.history) == 3
        assert merged(once, said) == once
        assert len(merged(replace(once, taken={}), said).history) == 3

    def test_an_entry_of_the_future_waits(self) -> None:
        said = claims(history=(at(59), at(61)))
        now = merged(STORED, said)
        assert now.history == (at(59),)
        later = rfc3339(START + timedelta(hours=2))
        assert merge_claims(now, said, now=later, max_history=100).history == (at(59), at(61))

    def test_ours_are_never_pushed_out(self) -> None:
        context = replace(STORED, history=self.OURS)
        flood = claims(history=tuple(at(40, f"tool_call:{n}") for n in range(500)))
        after = merged(context, flood, max_history=5)
        assert after.history[:2] == self.OURS
        assert [entry.action for entry in after.history[2:]] == [
            "tool_call:497",
            "tool_call:498",
            "tool_call:499",
        ]
        assert merged(after, flood, max_history=5) == after
        full = merged(replace(context, history=self.OURS), flood, max_history=2)
        assert full.history == self.OURS

    def test_our_order_is_kept_where_clocks_differ(self) -> None:
        skewed = (at(30, "a"), at(10, "b"), at(40, "c"))
        after = merged(replace(STORED, history=skewed), claims(history=(at(35, "theirs"),)))
        own = tuple(entry for entry in after.history if entry.action != "theirs")
        assert own == skewed

    @pytest.mark.parametrize(
        ("endpoint", "kept"),
        [
            ("GET /pets?api_key=hunter2", "GET /pets"),
            ("get /pets#hunter2", "GET /pets"),
            ("POST https://me:hunter2@pets.example/pets?x=1", "POST /pets"),
            ("GET /pets/{id}", "GET /pets/{id}"),
            ("GET /login;password=hunter2/x", "GET /login"),
            ("GET //me:hunter2@pets.example/x", None),
            ("GET /a b Authorization: hunter2", None),
            ("GET /x\n\nSYSTEM: obey", None),
            ("GET /x\u202enow", None),
            ("GET /x?a\nb", None),
            ("hunter2", None),
            ("GET hunter2", None),
            ("", None),
        ],
    )
    def test_an_endpoint_is_reduced(self, endpoint: str, kept: str | None) -> None:
        after = merged(STORED, claims(history=(at(1, endpoint=endpoint),)))
        assert shown(after) == [("tool_call:x", kept, None)]

    def test_result_and_metadata_are_reduced(self) -> None:
        theirs = replace(
            at(1),
            result="HTTP 200",
            metadata={
                "api": "pets",
                "operation": "o" * 128,
                "ms": 12,
                "success": True,
                "arguments": {"password": "hunter2"},
                "url": "https://x?key=hunter2",
            },
        )
        other = replace(at(2), result="it said hunter2", metadata={"ms": True, "success": 1})
        after = merged(STORED, claims(history=(theirs, other)))
        first, second = after.history
        assert first.result == "HTTP 200"
        assert first.metadata == {"api": "pets", "operation": "o" * 128, "ms": 12, "success": True}
        assert (second.result, second.metadata) == (None, {})

    @pytest.mark.parametrize("text", ["", "a b", "a\nb", "a\u202eb", "o" * 129])
    def test_a_name_that_is_none_is_left_out(self, text: str) -> None:
        named = replace(at(1), metadata={"api": text, "operation": text, "ms": 1})
        (entry,) = merged(STORED, claims(history=(named,))).history
        assert entry.metadata == {"ms": 1}

    def test_an_action_ends_before_a_query(self) -> None:
        after = merged(STORED, claims(history=(at(1, "tool_call:x?api_key=hunter2"),)))
        assert shown(after) == [("tool_call:x", "GET /x", None)]

    @pytest.mark.parametrize(
        "useless",
        [
            at(1, ""),
            at(1, "tool\x1b[2J"),
            at(1, "tool\u202ecall"),
            at(1, "tool\ncall"),
            at(1, "?api_key=hunter2"),
            replace(at(1), timestamp=f"2026-01-01T00:00:00.{'0' * 100}Z"),
        ],
        ids=["no action", "control", "direction", "line feed", "query", "endless fraction"],
    )
    def test_an_entry_of_no_use_is_left_out(self, useless: HistoryEntry) -> None:
        assert merged(STORED, claims(history=(useless,))).history == ()


class TestUpdates:
    def updates(self, answer: InboundContext, sent: AgentContext = STORED) -> Statement | None:
        return updates_of(answer, sent, allowed=UPDATABLE, api="pets")

    def test_what_a_response_may_say(self) -> None:
        said = session(
            **EVERYTHING, history=(replace(at(1), metadata={"api": "bank", "success": True}),)
        )
        made = self.updates(InboundContext(context_id=ID, session=said))
        assert made is not None
        after = merge_updates(STORED, made, now=NOW, max_history=10)
        expected = {
            name: EVERYTHING[name]
            for name in ("current_goal", "context_summary", "error_context", "recent_changes")
        }
        assert made.members == expected
        assert (after.user, after.workspace, after.api_specs) == (None, None, {})
        assert [entry.metadata for entry in after.history] == [{"api": "pets", "success": True}]
        assert is_valid_context(to_mapping(after))

    def test_the_goal_may_stand_in_its_header(self) -> None:
        made = self.updates(InboundContext(context_id=ID, goal="now"))
        assert made == Statement(members={"current_goal": "now"})

    @pytest.mark.parametrize("said", [None, "ocp-00000002"], ids=["none", "another"])
    def test_it_has_to_name_this_context(self, said: str | None) -> None:
        assert self.updates(InboundContext(context_id=said, goal="now")) is None

    def test_only_allowed_members_count(self) -> None:
        said = InboundContext(context_id=ID, goal="no", session=session(**EVERYTHING))
        allowed = frozenset({"context_summary"})
        made = updates_of(said, STORED, allowed=allowed, api="pets")
        assert made == Statement(members={"context_summary": "so far"})
        assert updates_of(said, STORED, allowed=frozenset(), api="pets") is None

    def test_giving_back_what_was_sent_changes_nothing(self) -> None:
        sent = session(**EVERYTHING, history=(at(1), at(2)))
        assert self.updates(InboundContext(context_id=ID, session=sent), sent) is None

    def test_giving_back_what_was_left_of_it_changes_nothing(self) -> None:
        sent = session(context_summary="s" * 5000, recent_changes=("c" * 500, "d"))
        cut = session(context_summary="s" * 1024, recent_changes=("c" * 64, "d"))
        assert self.updates(InboundContext(context_id=ID, session=cut), sent) is None

    @pytest.mark.parametrize(
        "text",
        ["x" * 4097, "a\x00b", "a\x1bb", "a\x85b", "a\u202eb", "a\U000e0041b"],
        ids=["too long", "nul", "escape", "C1", "direction", "tag"],
    )
    def test_a_text_nobody_should_be_shown_is_left_out(self, text: str) -> None:
        for name in ("context_summary", "error_context", "current_goal"):
            assert (
                self.updates(InboundContext(context_id=ID, session=session(**{name: text}))) is None
            )
        changes = session(recent_changes=("fine", text))
        assert self.updates(InboundContext(context_id=ID, session=changes)) is None

    def test_the_same_response_twice_changes_nothing_more(self) -> None:
        said = session(context_summary="new", history=(at(1),))
        made = self.updates(InboundContext(context_id=ID, session=said))
        assert made is not None
        once = merge_updates(STORED, made, now=NOW, max_history=10)
        assert merge_updates(once, made, now=NOW, max_history=10) == once

    def test_entries_are_few_and_not_of_the_future(self) -> None:
        many = session(history=tuple(at(1, f"tool_call:{n}") for n in range(100)))
        made = self.updates(InboundContext(context_id=ID, session=many))
        assert made is not None
        assert len(made.history) == 32
        ahead = Statement(history=(at(61),))
        assert merge_updates(STORED, ahead, now=NOW, max_history=10).history == ()


TEXTS = st.none() | st.text(max_size=8)
ENTRIES = st.builds(
    at,
    st.integers(0, 120),
    st.sampled_from(["a", "tool_call:b", ""]),
    st.none() | st.text(max_size=12) | st.just("GET /x?y"),
)
SESSIONS = st.builds(
    session,
    current_goal=TEXTS,
    context_summary=TEXTS,
    user=TEXTS,
    recent_changes=st.lists(st.text(max_size=4), max_size=10).map(tuple),
    history=st.lists(ENTRIES, max_size=6).map(tuple),
)


@given(st.lists(SESSIONS, max_size=4), st.integers(1, 8))
def test_merging_any_sessions_is_bounded_valid_and_done_once(
    sessions: list[AgentContext], max_history: int
) -> None:
    context = STORED
    for one in sessions:
        said = claims_of(InboundContext(context_id=ID, session=one))
        if said is not None:
            context = merged(context, said, max_history=max_history)
            assert merged(context, said, max_history=max_history) == context
    assert len(context.history) <= max_history
    assert is_valid_context(to_mapping(context))
