from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.context import (
    AgentContext,
    InboundContext,
    SessionState,
    decode_session,
    encode_session,
    is_ocp_header,
    new_context,
    outbound_headers,
    read_inbound,
)
from gateway.messages import header, header_values

ID = "ocp-00000000"
CONTEXT = new_context(ID, "tester", datetime(2026, 1, 1, tzinfo=UTC))
SESSION = encode_session(CONTEXT) or ""
NAMES = (
    "OCP-Context-ID",
    "OCP-Agent-Type",
    "OCP-Current-Goal",
    "OCP-Session",
    "OCP-User",
    "OCP-Workspace",
    "OCP-Version",
)


def test_all_seven_headers_are_read() -> None:
    values = (ID, "ide.coding_assistant-1", "fix the bug, now", SESSION, "ada", "web app", "1.0")
    assert read_inbound(tuple(zip(NAMES, values, strict=True))) == InboundContext(
        context_id=ID,
        agent_type="ide.coding_assistant-1",
        goal="fix the bug, now",
        user="ada",
        workspace="web app",
        session=CONTEXT,
    )


@pytest.mark.parametrize("name", ["ocp-context-id", "OCP-CONTEXT-ID", "Ocp-Context-Id"])
def test_names_are_read_in_any_case(name: str) -> None:
    assert read_inbound(((name, ID),)).context_id == ID


@pytest.mark.parametrize("headers", [(), (("Host", "x"), ("X-OCP-User", "ada"))])
def test_without_ocp_headers_there_is_nothing(headers: tuple[tuple[str, str], ...]) -> None:
    assert read_inbound(headers) == InboundContext()


@pytest.mark.parametrize("name", [name.replace("-", "_") for name in NAMES])
def test_underscore_twins_never_count(name: str) -> None:
    assert read_inbound(((name, ID),)) == InboundContext()


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("OCP-Context-ID", "a" * 65, "context_id_too_long"),
        ("OCP-Context-ID", "", "context_id_empty"),
        ("OCP-Context-ID", "a_b", "context_id_invalid"),
        ("OCP-Context-ID", "a b", "context_id_invalid"),
        ("OCP-Context-ID", "../x", "context_id_invalid"),
        ("OCP-Context-ID", "*", "context_id_invalid"),
        ("OCP-Context-ID", "{a}", "context_id_invalid"),
        ("OCP-Context-ID", "!! not valid !!", "context_id_invalid"),
        ("OCP-Context-ID", "a\x85", "context_id_invalid"),
        ("OCP-Context-ID", "a\n", "context_id_invalid"),
        ("OCP-Context-ID", "a, b", "context_id_invalid"),
        ("OCP-Agent-Type", "a b", "agent_type_invalid"),
        ("OCP-Agent-Type", "a" * 129, "agent_type_too_long"),
        ("OCP-Agent-Type", "", "agent_type_empty"),
        ("OCP-Current-Goal", "g" * 257, "goal_too_long"),
        ("OCP-Current-Goal", "", "goal_empty"),
        ("OCP-Current-Goal", "caf\xe9", "goal_invalid"),
        ("OCP-Current-Goal", "caf\udce9", "goal_invalid"),
        ("OCP-Current-Goal", "日本", "goal_invalid"),
        ("OCP-Current-Goal", "a\tb", "goal_invalid"),
        ("OCP-Current-Goal", "a\r\nX-Evil: 1", "goal_invalid"),
        ("OCP-User", "u" * 65, "user_too_long"),
        ("OCP-User", "\x00", "user_invalid"),
        ("OCP-User", "\x7f", "user_invalid"),
        ("OCP-Workspace", "w" * 129, "workspace_too_long"),
        ("OCP-Workspace", "\x1b[31m", "workspace_invalid"),
        ("OCP-Version", "1", "version_invalid"),
        ("OCP-Version", "1.0.0", "version_invalid"),
        ("OCP-Version", "\u0661.\u0660", "version_invalid"),
        ("OCP-Version", "1" * 18, "version_too_long"),
        ("OCP-Session", "x" * 8193, "session_too_long"),
        ("OCP-Session", "", "session_base64"),
    ],
)
def test_a_bad_header_is_ignored_and_spoils_no_other(name: str, value: str, reason: str) -> None:
    good = {"OCP-Context-ID": ID, "OCP-User": "ada"}
    others = {key: item for key, item in good.items() if key != name}
    inbound = read_inbound(((name, value), *others.items()))
    assert inbound == InboundContext(
        context_id=others.get("OCP-Context-ID"), user=others.get("OCP-User"), rejects=(reason,)
    )


@pytest.mark.parametrize(
    ("name", "value", "limit"),
    [
        ("OCP-Context-ID", "a" * 64, "context_id"),
        ("OCP-Agent-Type", "a" * 128, "agent_type"),
        ("OCP-Current-Goal", "g" * 256, "goal"),
        ("OCP-User", "u" * 64, "user"),
        ("OCP-Workspace", "w" * 128, "workspace"),
    ],
)
def test_the_longest_value_is_read(name: str, value: str, limit: str) -> None:
    assert getattr(read_inbound(((name, value),)), limit) == value


@pytest.mark.parametrize("value", ["1.0", "0.1", "2.13"])
def test_any_major_minor_version_is_fine(value: str) -> None:
    assert read_inbound((("OCP-Version", value),)) == InboundContext()


@pytest.mark.parametrize("name", NAMES)
def test_a_header_sent_twice_is_ignored(name: str) -> None:
    values = dict(zip(NAMES, (ID, "agent", "goal", SESSION, "ada", "web", "1.0"), strict=True))
    twice = (*values.items(), (name.lower(), values[name]))
    inbound = read_inbound(twice)
    once = read_inbound(tuple(item for item in values.items() if item[0] != name))
    duplicate = next(reason for reason in inbound.rejects if reason.endswith("_duplicate"))
    assert replace(inbound, rejects=()) == replace(once, rejects=())
    assert duplicate.removesuffix("_duplicate") in name.lower().replace("-", "_")


def test_a_session_of_another_context_is_ignored() -> None:
    inbound = read_inbound((("OCP-Context-ID", "ocp-11111111"), ("OCP-Session", SESSION)))
    assert inbound == InboundContext(context_id="ocp-11111111", rejects=("session_id_mismatch",))


def test_foreign_members_of_a_session_are_not_held() -> None:
    """A few hundred characters can unfold to thousands of them, for as long as a call lasts."""
    state = SessionState(start_time=CONTEXT.created_at, interaction_count=3, agent_type="x")
    known = replace(CONTEXT, session=state)
    foreign = replace(known, session=replace(state, extra={"x": [{}] * 99}))
    value = encode_session(foreign) or ""
    assert decode_session(value, ID) == foreign
    assert read_inbound((("OCP-Context-ID", ID), ("OCP-Session", value))).session == known


def test_a_session_without_id_is_ignored() -> None:
    assert read_inbound((("OCP-Session", SESSION),)) == InboundContext(
        rejects=("session_without_id",)
    )


HEADER_NAMES = st.sampled_from(NAMES) | st.text(max_size=12)


@settings(max_examples=200)
@given(st.lists(st.tuples(HEADER_NAMES, st.text(max_size=300)), max_size=10))
def test_no_header_ever_raises(headers: list[tuple[str, str]]) -> None:
    inbound = read_inbound(tuple(headers))
    claims = (inbound.context_id, inbound.agent_type, inbound.goal, inbound.user)
    assert all(claim is None or (claim.isascii() and claim.isprintable()) for claim in claims)


@pytest.mark.parametrize(
    "name", [*NAMES, *(n.replace("-", "_") for n in NAMES), "ocp-later", "OCP_X", "Ocp-_a"]
)
def test_protocol_headers_are_known_by_their_prefix(name: str) -> None:
    assert is_ocp_header(name)
    assert is_ocp_header(name.lower())


@pytest.mark.parametrize("name", ["", "ocp", "OCPX-User", "X-OCP-User", "Host", "ocpcontext"])
def test_other_headers_are_not_of_the_protocol(name: str) -> None:
    assert not is_ocp_header(name)


def test_ids_alone_are_three_headers() -> None:
    context = replace(CONTEXT, user="ada", current_goal="g", workspace="w")
    assert outbound_headers(context, full=False) == (
        ("OCP-Context-ID", ID),
        ("OCP-Agent-Type", "tester"),
        ("OCP-Version", "1.0"),
    )


def test_full_headers_are_read_back() -> None:
    context = replace(CONTEXT, user="ada", current_goal="fix it", workspace="web")
    headers = outbound_headers(context, full=True)
    assert sorted(name for name, _ in headers) == sorted(NAMES)
    assert read_inbound(headers) == InboundContext(
        context_id=ID,
        agent_type="tester",
        goal="fix it",
        user="ada",
        workspace="web",
        session=context,
    )


@pytest.mark.parametrize(
    "goal",
    [
        "日本語",
        "a\nb",
        "a\r\nX-Evil: 1",
        " leading",
        "trailing ",
        "g" * 257,
        "g" * 5000,
        "\x85",
        "🐙",
        "",
        "\t",
        "\x00",
        "\udcff",
    ],
    ids=ascii,
)
def test_what_a_header_cannot_carry_is_left_out(goal: str) -> None:
    headers = outbound_headers(replace(CONTEXT, current_goal=goal), full=True)
    assert header(headers, "OCP-Current-Goal") is None
    assert header(headers, "OCP-Context-ID") == ID


@pytest.mark.parametrize("goal", ["日本語", "a\nb", " leading", "g" * 257])
def test_what_a_header_cannot_carry_stays_in_the_session(goal: str) -> None:
    headers = outbound_headers(replace(CONTEXT, current_goal=goal), full=True)
    session = read_inbound(headers).session
    assert session is not None
    assert session.current_goal == goal


@pytest.mark.parametrize("goal", ["café", "g" * 256, "x", "a  b"])
def test_what_a_header_can_carry_is_sent(goal: str) -> None:
    headers = outbound_headers(replace(CONTEXT, current_goal=goal), full=True)
    assert header(headers, "OCP-Current-Goal") == goal


@pytest.mark.parametrize(
    ("agent_type", "sent"),
    [("my agent", "myagent"), ("x" * 200, "x" * 128), ("агент", None), ("", None)],
)
def test_the_agent_type_is_reduced(agent_type: str, sent: str | None) -> None:
    headers = outbound_headers(replace(CONTEXT, agent_type=agent_type), full=False)
    assert header(headers, "OCP-Agent-Type") == sent


def test_an_id_that_is_not_schema_valid_goes_without_session() -> None:
    headers = outbound_headers(replace(CONTEXT, context_id="my-conversation"), full=True)
    assert header(headers, "OCP-Context-ID") == "my-conversation"
    assert header(headers, "OCP-Session") is None


@settings(max_examples=100)
@given(st.builds(
    AgentContext,
    context_id=st.text(max_size=70),
    agent_type=st.text(max_size=150),
    created_at=st.text(max_size=30),
    last_updated=st.just("2026-01-01T00:00:00Z"),
    user=st.none() | st.text(max_size=70),
    current_goal=st.none() | st.text(max_size=300),
))  # fmt: skip
def test_whatever_a_context_holds_its_headers_can_be_sent(context: AgentContext) -> None:
    for name, value in outbound_headers(context, full=True):
        assert header_values(((name, value),), name) == (value,)
        assert value == value.strip()
        value.encode("latin-1")
        assert all(character >= " " and not "\x7f" <= character < "\xa0" for character in value)
