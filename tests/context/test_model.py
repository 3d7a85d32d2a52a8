import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from gateway.context import (
    AgentContext,
    SessionState,
    agent_type_from,
    from_mapping,
    is_header_id,
    is_schema_id,
    is_valid_context,
    later,
    mint_id,
    new_context,
    rfc3339,
    to_mapping,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "header", "schema"),
    [
        ("ocp-a1b2c3d4", True, True),
        ("ocp-" + "0" * 60, True, True),
        ("ocp-" + "0" * 61, False, True),
        ("my-conversation", True, False),
        ("a" * 64, True, False),
        ("a" * 65, False, False),
        ("ocp-A1B2C3D4", True, False),
        ("ocp-a1b2c3d", True, False),
        ("ocp-a1b2c3d4\n", False, False),
        ("", False, False),
        ("a_b", False, False),
        ("a b", False, False),
        ("../x", False, False),
        ("*", False, False),
        ("{a}", False, False),
        ("a\x85", False, False),
        ("é", False, False),
        ("\udcff", False, False),
    ],
)
def test_ids_are_judged_whole(text: str, header: bool, schema: bool) -> None:
    assert (is_header_id(text), is_schema_id(text)) == (header, schema)


def test_a_minted_id_is_valid_everywhere() -> None:
    minted = mint_id(bytes(range(16)))
    assert minted == "ocp-000102030405060708090a0b0c0d0e0f"
    assert is_header_id(minted)
    assert is_schema_id(minted)


@pytest.mark.parametrize("size", [0, 15, 17])
def test_an_id_takes_128_bits(size: int) -> None:
    with pytest.raises(ValueError, match="16 random bytes"):
        mint_id(bytes(size))


@pytest.mark.parametrize(
    ("header", "client", "agent_type"),
    [
        ("ide_coding.assistant-1", "other", "ide_coding.assistant-1"),
        (None, "claude-code", "claude-code"),
        (None, "Claude Desktop (beta)", "ClaudeDesktopbeta"),
        (None, "x" * 200, "x" * 128),
        (None, "кот", "generic_agent"),
        (None, "", "generic_agent"),
        (None, None, "generic_agent"),
        ("not valid", "client", "client"),
        ("trailing\n", None, "generic_agent"),
        ("x" * 129, None, "generic_agent"),
    ],
)
def test_agent_type_of_a_new_context(
    header: str | None, client: str | None, agent_type: str
) -> None:
    assert agent_type_from(header, client) == agent_type


def test_a_new_context_is_valid_by_schema() -> None:
    context = new_context("ocp-00000000", "tester", NOW)
    assert context.session == SessionState(
        start_time="2026-01-02T03:04:05.000678Z", agent_type="tester"
    )
    assert is_valid_context(to_mapping(context))


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (NOW, "2026-01-02T03:04:05.000678Z"),
        (NOW.replace(microsecond=0), "2026-01-02T03:04:05.000000Z"),
        (NOW.astimezone(timezone(timedelta(hours=5.5))), "2026-01-02T03:04:05.000678Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00.000000Z"),
    ],
)
def test_moments_are_written_in_utc(moment: datetime, text: str) -> None:
    assert rfc3339(moment) == text


def test_a_moment_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        rfc3339(NOW.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"),
        ("2026-01-01T00:00:00.9Z", "2026-01-01T00:00:00.91Z"),
        ("2026-01-01T00:00:00.1234561Z", "2026-01-01T00:00:00.1234562Z"),
        ("2026-01-01T01:00:00+01:00", "2026-01-01T00:30:00Z"),
        ("2026-01-01T00:00:00Z", "2025-12-31T23:30:00-01:00"),
        ("2025-12-31T23:59:59Z", "2025-12-31T23:59:60Z"),
        ("2026-01-01t00:00:00z", "2026-01-01T00:00:00.5Z"),
        ("0000-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("0001-01-01T00:00:00+23:59", "2026-01-01T00:00:00Z"),
        ("no time", "2026-01-01T00:00:00Z"),
        ("2026-01-01T00:00:00.000001Z", "2026-01-01T00:00:00.000002Z"),
        ("2026-13-01T00:00:00.000000Z", "2026-01-01T00:00:00.000000Z"),
        ("2026-01-01T24:00:00.000000Z", "2026-01-01T00:00:00.000000Z"),
    ],
)
def test_the_later_moment_wins(one: str, other: str) -> None:
    assert later(one, other) == later(other, one) == other


@pytest.mark.parametrize("same", ["2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00.000Z"])
def test_of_the_same_moment_the_first_stays(same: str) -> None:
    assert later("2026-01-01T00:00:00Z", same) == "2026-01-01T00:00:00Z"


MEMBERS = {
    "context_id": "my-conversation",
    "agent_type": "",
    "created_at": "2026-01-01T00:00:00Z",
    "last_updated": "2026-01-01T00:00:00Z",
}


def test_null_and_absent_are_the_same() -> None:
    nulls = dict.fromkeys(("user", "workspace", "current_goal", "error_context"))
    context = from_mapping(MEMBERS | nulls)
    assert context == from_mapping(MEMBERS)
    assert context == AgentContext(
        context_id="my-conversation",
        agent_type="",
        created_at="2026-01-01T00:00:00Z",
        last_updated="2026-01-01T00:00:00Z",
    )


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "text",
        {},
        *({key: item for key, item in MEMBERS.items() if key != name} for name in MEMBERS),
        MEMBERS | {"agent_type": None},
        MEMBERS | {"created_at": 5},
        MEMBERS | {"user": 5},
        MEMBERS | {"recent_changes": "ab"},
        MEMBERS | {"recent_changes": [None]},
        MEMBERS | {"session": []},
        MEMBERS | {"session": {}},
        MEMBERS | {"session": {"start_time": "", "agent_type": "", "interaction_count": -1}},
        MEMBERS | {"session": {"start_time": "", "agent_type": "", "interaction_count": True}},
        MEMBERS | {"session": {"start_time": "", "agent_type": "", "interaction_count": 1e300}},
        MEMBERS | {"history": {}},
        MEMBERS | {"history": [5]},
        MEMBERS | {"history": [{"timestamp": "x"}]},
        MEMBERS | {"history": [{"timestamp": "x", "action": "y", "metadata": []}]},
        MEMBERS | {"api_specs": {"pets": None}},
    ],
    ids=lambda value: re.sub(r"\W+", "_", str(value))[-60:],
)
def test_other_shapes_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"expected|count"):
        from_mapping(value)
