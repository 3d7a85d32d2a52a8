"""Who a request's headers say is calling."""

import pytest

from gateway.identity import ApiKeys
from gateway.messages import Headers
from gateway.policy import Principal

KEY, ADMIN_KEY = "k-0123456789abcdef", "k-fedcba9876543210"
KEYS = ApiKeys((("ci", KEY, False), ("ops", ADMIN_KEY, True)))


@pytest.mark.parametrize(
    ("headers", "consumed"),
    [
        pytest.param((("X-API-Key", KEY),), "x-api-key", id="key header"),
        pytest.param((("Authorization", f"Bearer {KEY}"),), "authorization", id="bearer"),
        pytest.param((("AUTHORIZATION", f"bearer  {KEY}"),), "authorization", id="any case"),
        pytest.param(
            (("X-API-Key", "the upstream's"), ("Authorization", f"Bearer {KEY}")),
            "authorization",
            id="a key for somebody else beside it",
        ),
        pytest.param(
            (("Authorization", "Bearer the upstream's"), ("x-api-key", KEY)),
            "x-api-key",
            id="a token for somebody else beside it",
        ),
    ],
)
def test_a_key_names_its_holder_and_its_header_goes_no_further(
    headers: Headers, consumed: str
) -> None:
    caller = KEYS.authenticate(headers)
    assert caller is not None
    assert caller.principal == Principal(name="key:ci")
    assert caller.consumed == {consumed}
    assert not caller.admin


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param((("X-API-Key", KEY),), id="twice the same"),
        pytest.param((("X-API-Key", "other"),), id="beside another"),
    ],
)
def test_no_header_with_a_key_in_it_goes_further(headers: Headers) -> None:
    sent = (("X-API-Key", KEY), *headers, ("Authorization", f"Bearer {KEY}"))
    caller = KEYS.authenticate(sent)
    assert caller is not None
    assert caller.consumed == {"x-api-key", "authorization"}


def test_an_admins_key() -> None:
    caller = KEYS.authenticate((("X-API-Key", ADMIN_KEY),))
    assert caller is not None
    assert caller.admin


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param((), id="nothing"),
        pytest.param((("X-API-Key", ""),), id="empty"),
        pytest.param((("X-API-Key", KEY[:-1]),), id="shorter"),
        pytest.param((("X-API-Key", KEY + "x"),), id="longer"),
        pytest.param((("X-API-Key", KEY.upper()),), id="another case"),
        pytest.param((("X-API-Key", "ci"),), id="an id"),
        pytest.param((("X-API-Key", KEY), ("X-API-Key", KEY)), id="twice"),
        pytest.param((("X-API-Key", f"{KEY}, {KEY}"),), id="twice in one"),
        pytest.param((("Authorization", KEY),), id="no scheme"),
        pytest.param((("Authorization", f"Basic {KEY}"),), id="another scheme"),
        pytest.param((("Authorization", f"Bearer{KEY}"),), id="no space"),
        pytest.param((("Cookie", f"X-API-Key={KEY}"),), id="a cookie"),
        pytest.param((("X_API_Key", KEY),), id="an underscore twin"),
        pytest.param((("X-API-Key", "\xff\x80"),), id="no ASCII"),
    ],
)
def test_nobody(headers: Headers) -> None:
    assert KEYS.authenticate(headers) is None
