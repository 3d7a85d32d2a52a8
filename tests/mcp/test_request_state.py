"""The state that a client carries between rounds."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mcp.keys import to_text
from gateway.mcp.request_state import (
    LIFE_SECONDS,
    MAX_STATE,
    STATE_NONCE_BYTES,
    RequestStates,
    SealedRound,
)
from gateway.policy import ANONYMOUS, Principal
from tests.support.mcp_core import KEY, NOW

NONCE = bytes(range(STATE_NONCE_BYTES))
ASKED = SealedRound(
    principal=ANONYMOUS,
    api="pets",
    digest="d1",
    round=2,
    context_id="ocp-1",
    state={"stage": "upstream", "upstream": [1, None, "é"]},
)
STATES = RequestStates((KEY,))


def sealed(asked: SealedRound = ASKED) -> str:
    return STATES.seal(asked, now=NOW, nonce=NONCE)


def opened(
    text: str,
    *,
    states: RequestStates = STATES,
    principal: Principal = ANONYMOUS,
    api: str | None = "pets",
    digest: str = "d1",
    after: float = 0,
) -> SealedRound | None:
    return states.open(text, principal=principal, api=api, digest=digest, now=NOW + after)


@pytest.mark.parametrize(
    "asked",
    [
        ASKED,
        replace(ASKED, context_id=None, state=None),
        replace(ASKED, state={"upstream": 2**70}),
    ],
    ids=["whole", "without a state", "with an integer over 64 bits"],
)
def test_what_was_sealed_is_opened(asked: SealedRound) -> None:
    assert opened(sealed(asked)) == asked


def test_nothing_of_it_can_be_read() -> None:
    secret = sealed(replace(ASKED, state={"upstream": "a secret of the API"}))
    assert "secret" not in secret
    assert to_text(b"secret")[:6] not in secret


def test_it_lives_for_ten_minutes() -> None:
    text = sealed()
    assert opened(text, after=LIFE_SECONDS - 1) == ASKED
    assert opened(text, after=LIFE_SECONDS) is None


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"principal": Principal(name="key:other")},
        {"api": "shop"},
        {"api": None},
        {"digest": "other arguments"},
        {"states": RequestStates((b"another key that is thirty-two.",))},
    ],
    ids=lambda elsewhere: next(iter(elsewhere)),
)
def test_it_is_about_one_call_of_one_caller(elsewhere: dict[str, object]) -> None:
    assert opened(sealed(), **elsewhere) is None  # type: ignore[arg-type]


def test_an_older_key_still_opens() -> None:
    rotated = RequestStates((b"a newer key, which seals from now on", KEY))
    assert opened(sealed(), states=rotated) == ASKED


@pytest.mark.parametrize("text", ["", "v1.", "v1.AAAA", "v2.AAAA", "nonsense", "v1.\u00e9", "v1. "])
def test_other_texts_are_no_states(text: str) -> None:
    assert opened(text) is None


@pytest.mark.parametrize("suffix", ["-TAMPERED", "=", "==", " ", "\n", "A", ".A"])
def test_what_is_appended_is_noticed(suffix: str) -> None:
    assert opened(sealed() + suffix) is None


@given(position=st.integers(min_value=0), character=st.sampled_from("Aa0-_.=!"))
def test_every_changed_character_is_noticed(position: int, character: str) -> None:
    text = sealed()
    at = position % len(text)
    changed = text[:at] + character + text[at + 1 :]
    assert opened(changed) == (ASKED if changed == text else None)


def test_what_is_too_large_is_not_sealed() -> None:
    with pytest.raises(ValueError, match=str(MAX_STATE)):
        sealed(replace(ASKED, state={"upstream": "x" * MAX_STATE}))
