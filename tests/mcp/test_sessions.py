"""Session ids carry their session, and nobody but us can make one."""

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mcp.capabilities import CAPABILITIES, read_capabilities
from gateway.mcp.revisions import LEGACY, V2025_06_18
from gateway.mcp.sessions import (
    LIFE_SECONDS,
    Handshake,
    Session,
    Sessions,
)
from gateway.policy import ANONYMOUS, Principal
from tests.support.mcp_core import KEY, NONCE, NOW

OTHER_KEY = b"o" * 32
HANDSHAKE = Handshake(
    revision=V2025_06_18, capabilities=frozenset({"roots", "sampling"}), client_name="Tester"
)


def mint(sessions: Sessions, handshake: Handshake = HANDSHAKE, nonce: bytes = NONCE) -> str:
    return sessions.mint(handshake, principal=ANONYMOUS, api="pets", now=NOW, nonce=nonce)


def find(sessions: Sessions, session_id: str, *, now: float = NOW) -> Session | None:
    return sessions.find(session_id, principal=ANONYMOUS, api="pets", now=now)


@pytest.mark.parametrize("revision", LEGACY, ids=lambda revision: revision.name)
def test_another_process_with_the_key_reads_the_session_back(revision: object) -> None:
    handshake = Handshake(
        revision=revision,  # type: ignore[arg-type]
        capabilities=frozenset(CAPABILITIES),
        client_name="Tester",
    )
    found = find(Sessions([KEY]), mint(Sessions([KEY]), handshake))
    assert found is not None
    assert found.handshake == handshake
    assert found.expires_at == NOW + LIFE_SECONDS


def test_an_id_is_visible_ascii() -> None:
    assert re.fullmatch(r"[\x21-\x7e]{60,250}", mint(Sessions([KEY])))


def test_the_context_id_follows_from_the_session_and_is_not_in_it() -> None:
    first, again, other = Sessions([KEY]), Sessions([KEY]), Sessions([KEY])
    one = find(first, mint(first))
    same = find(again, mint(first))
    different = find(other, mint(first, nonce=b"another one!"))
    assert one
    assert same
    assert different
    assert re.fullmatch(r"ocp-[0-9a-f]{32}", one.context_id)
    assert one.context_id == same.context_id != different.context_id


def test_all_keys_verify_and_the_first_one_signs() -> None:
    assert find(Sessions([OTHER_KEY, KEY]), mint(Sessions([KEY]))) is not None
    assert find(Sessions([KEY]), mint(Sessions([OTHER_KEY, KEY]))) is None


def test_a_session_lives_a_day_and_not_a_moment_longer() -> None:
    sessions = Sessions([KEY])
    session_id = mint(sessions)
    assert find(sessions, session_id, now=NOW + LIFE_SECONDS - 1) is not None
    assert find(sessions, session_id, now=NOW + LIFE_SECONDS) is None


@pytest.mark.parametrize(
    ("principal", "api"),
    [
        pytest.param(Principal(name="key:thief"), "pets", id="another principal"),
        pytest.param(ANONYMOUS, "other", id="another API"),
        pytest.param(ANONYMOUS, None, id="all APIs"),
    ],
)
def test_an_id_is_worthless_elsewhere(principal: Principal, api: str | None) -> None:
    sessions = Sessions([KEY])
    assert sessions.find(mint(sessions), principal=principal, api=api, now=NOW) is None


def _flipped(session_id: str) -> str:
    payload = bytearray(base64.urlsafe_b64decode(session_id.split(".")[1] + "=="))
    payload[0] ^= 1
    coded = base64.urlsafe_b64encode(payload).decode().rstrip("=")
    return f"s1.{coded}.{session_id.split('.')[2]}"


def _respelled(session_id: str) -> str:
    """Another spelling of the same bytes: the last character's low bits carry nothing."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return session_id[:-1] + alphabet[alphabet.index(session_id[-1]) ^ 1]


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(lambda i: i + "-TAMPERED", id="appended"),
        pytest.param(lambda i: i + "=", id="padded"),
        pytest.param(lambda i: i + "\n", id="line end"),
        pytest.param(lambda i: i[:-1], id="cut"),
        pytest.param(_flipped, id="another revision"),
        pytest.param(_respelled, id="same bytes, other spelling"),
        pytest.param(lambda i: i.rsplit(".", 1)[0], id="unsigned"),
        pytest.param(lambda i: i.rsplit(".", 1)[0] + ".AAAA", id="short signature"),
        pytest.param(lambda i: "s2" + i[2:], id="another version"),
        pytest.param(lambda i: i + "\u00e9", id="not ascii"),
        pytest.param(lambda i: "", id="empty"),
        pytest.param(lambda i: "s1.." + "A" * 43, id="no payload"),
        pytest.param(lambda i: "s1.A.A", id="not base64"),
        pytest.param(lambda i: i * 50, id="long"),
    ],
)
def test_a_forged_id_is_no_session(forge: object) -> None:
    sessions = Sessions([KEY])
    assert callable(forge)
    assert find(sessions, forge(mint(sessions))) is None


@given(st.text(max_size=80))
def test_any_text_is_no_session(text: str) -> None:
    assert find(Sessions([KEY]), text) is None


@given(st.text(max_size=100))
def test_any_client_name_fits_and_is_at_most_shortened(name: str) -> None:
    sessions = Sessions([KEY])
    session_id = mint(sessions, Handshake(revision=V2025_06_18, client_name=name))
    found = find(sessions, session_id)
    assert found is not None
    legible = name.encode("utf-8", "ignore").decode()
    assert legible.startswith(found.handshake.client_name or "")
    assert len(session_id) < 250


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        pytest.param({}, set(), id="nothing"),
        pytest.param("roots", set(), id="not an object"),
        pytest.param({"roots": {"listChanged": True}}, {"roots"}, id="roots"),
        pytest.param({"roots": True}, set(), id="wrong shape"),
        pytest.param({"elicitation": {}}, {"elicitation.form"}, id="elicitation of old"),
        pytest.param({"elicitation": {"url": {}}}, {"elicitation.url"}, id="url only"),
        pytest.param(
            {"sampling": {"tools": {}}}, {"sampling", "sampling.tools"}, id="sampling with tools"
        ),
    ],
)
def test_declared_capabilities_are_read(declared: object, expected: set[str]) -> None:
    assert read_capabilities(declared) == expected
