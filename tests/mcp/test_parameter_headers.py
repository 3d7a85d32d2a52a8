"""Arguments that headers repeat."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog import (
    NO_ADDITIONS,
    Additions,
    Catalog,
    Tool,
    ToolOverride,
    View,
    read_catalog,
)
from gateway.errors import ApiUnavailable
from gateway.mcp import Reply, ToolPages
from gateway.mcp.decisions import Work
from gateway.mcp.header_values import decode_value
from gateway.mcp.jsonrpc import RpcRequest
from gateway.mcp.modern import Stance, answer_modern
from gateway.mcp.parameter_headers import mismatched_header
from gateway.mcp.publication import Publication
from gateway.openapi import read_description
from tests.support.mcp_core import (
    META,
    SERVER,
    arrival,
    core,
    encoded,
    error_of,
    message,
    modern_head,
    modern_message,
    open_session,
)
from tests.support.tools import DONE, parameter

PATHS = {
    "/pets": {
        "get": {
            "operationId": "findPets",
            "parameters": [
                parameter("region", "query", {"type": "string"}),
                parameter("age", "query", {"type": "integer"}),
                parameter("tame", "query", {"type": "boolean"}),
            ],
            "responses": DONE,
        }
    }
}
HEADERS = {"region": "Region", "age": "Age", "tame": "Tame"}


def pets() -> View:
    info = {"title": "Pets", "version": "1"}
    description = read_description({"openapi": "3.1.0", "info": info, "paths": PATHS}, api="pets")
    overrides = {"findPets": ToolOverride(mcp_headers=HEADERS)}
    return Catalog([read_catalog(description, overrides=overrides)]).view()


VIEW = pets()
TOOL: Tool = VIEW.tools["findPets"]


@pytest.mark.parametrize(
    ("arguments", "headers"),
    [
        pytest.param({}, {}, id="neither"),
        pytest.param({"region": None}, {}, id="null is absent"),
        pytest.param({"region": "eu"}, {"Mcp-Param-Region": "eu"}, id="text"),
        pytest.param({"region": "eu"}, {"mcp-param-REGION": " eu\t"}, id="case and white space"),
        pytest.param({"region": ""}, {"Mcp-Param-Region": ""}, id="empty text"),
        pytest.param({"region": "ü"}, {"Mcp-Param-Region": "=?base64?w7w=?="}, id="sentinel"),
        pytest.param({"region": "=?base64?x"}, {"Mcp-Param-Region": "=?base64?x"}, id="one mark"),
        pytest.param({"age": 42}, {"Mcp-Param-Age": "42"}, id="integer"),
        pytest.param({"age": 42}, {"Mcp-Param-Age": "42.0"}, id="integer with a point"),
        pytest.param({"age": 42.0}, {"Mcp-Param-Age": "42"}, id="number without a point"),
        pytest.param({"age": 42}, {"Mcp-Param-Age": "4.2e1"}, id="exponent"),
        pytest.param({"age": 10**30}, {"Mcp-Param-Age": "1" + "0" * 30}, id="long integer"),
        pytest.param({"tame": True}, {"Mcp-Param-Tame": "true"}, id="true"),
        pytest.param({"tame": False}, {"Mcp-Param-Tame": "false"}, id="false"),
        pytest.param({}, {"Mcp-Param-Other": "x"}, id="unknown headers are ignored"),
    ],
)
def test_what_agrees(arguments: dict[str, object], headers: dict[str, str]) -> None:
    assert mismatched_header(TOOL, arguments, tuple(headers.items())) is None


@pytest.mark.parametrize(
    ("arguments", "headers", "name"),
    [
        pytest.param({"region": "eu"}, {}, "Region", id="argument without header"),
        pytest.param({}, {"Mcp-Param-Region": "eu"}, "Region", id="header without argument"),
        pytest.param({"region": None}, {"Mcp-Param-Region": ""}, "Region", id="null with header"),
        pytest.param({"region": "eu"}, {"Mcp-Param-Region": "EU"}, "Region", id="case of a value"),
        pytest.param({"region": "e"}, {"Mcp-Param-Region": "=?base64?Z"}, "Region", id="literal"),
        pytest.param({"region": "e"}, {"Mcp-Param-Region": "=?base64?Z?="}, "Region", id="bad"),
        pytest.param({"region": "ü"}, {"Mcp-Param-Region": "=?base64?w7x=?="}, "Region", id="bits"),
        pytest.param({"region": "e"}, {"Mcp-Param-Region": "=?BASE64?ZQ==?="}, "Region", id="mark"),
        pytest.param({"age": 42}, {"Mcp-Param-Age": "43"}, "Age", id="other integer"),
        pytest.param({"age": 42}, {"Mcp-Param-Age": "4_2"}, "Age", id="no JSON number"),
        pytest.param({"age": 42}, {"Mcp-Param-Age": "forty"}, "Age", id="no number"),
        pytest.param({"age": 42}, {"Mcp-Param-Age": "Infinity"}, "Age", id="infinity"),
        pytest.param({"age": 1}, {"Mcp-Param-Age": "true"}, "Age", id="a boolean for a number"),
        pytest.param({"tame": True}, {"Mcp-Param-Tame": "True"}, "Tame", id="case of a boolean"),
        pytest.param({"tame": True}, {"Mcp-Param-Tame": "1"}, "Tame", id="a number for a boolean"),
        pytest.param({"region": ["eu"]}, {"Mcp-Param-Region": "eu"}, "Region", id="a list"),
    ],
)
def test_what_does_not_agree(
    arguments: dict[str, object], headers: dict[str, str], name: str
) -> None:
    assert mismatched_header(TOOL, arguments, tuple(headers.items())) == f"Mcp-Param-{name}"


def test_a_header_that_is_sent_twice_agrees_with_nothing() -> None:
    twice = (("Mcp-Param-Region", "eu"),) * 2
    assert mismatched_header(TOOL, {"region": "eu"}, twice) == "Mcp-Param-Region"


@given(st.text(max_size=30))
def test_any_value_is_decoded_or_none(text: str) -> None:
    decoded = decode_value(text)
    assert decoded == text or text.startswith("=?base64?")


def call_of(name: str, arguments: dict[str, object]) -> bytes:
    return encoded(modern_message("tools/call", {"name": name, "arguments": arguments}))


def decide(
    arguments: dict[str, object],
    *headers: tuple[str, str],
    name: str = "findPets",
    view: Callable[[], View] = lambda: VIEW,
) -> object:
    circumstances = replace(arrival(*modern_head("tools/call", name), *headers), view=view)
    return core().on_post(circumstances, call_of(name, arguments))


def test_a_call_is_judged_before_it_is_made() -> None:
    assert isinstance(decide({"region": "eu"}, ("Mcp-Param-Region", "eu")), Work)
    refused = decide({"region": "eu"})
    assert isinstance(refused, Reply)
    assert refused.status == 400
    assert error_of(refused)["code"] == -32020
    assert "Mcp-Param-Region" in str(error_of(refused)["message"])


def unavailable() -> View:
    raise ApiUnavailable("soon")


def test_what_is_not_there_is_for_the_call_to_say() -> None:
    assert isinstance(decide({"region": "eu"}, name="nothing"), Work)
    assert isinstance(decide({"region": "eu"}, view=unavailable), Work)


@pytest.mark.parametrize(
    ("stance", "additions"),
    [(Stance(), NO_ADDITIONS), (Stance(routing=()), Additions(instead=True))],
    ids=["stdio has no headers", "nobody is told of them"],
)
def test_where_no_client_can_know_of_headers(stance: Stance, additions: Additions) -> None:
    request = RpcRequest(
        id=1,
        method="tools/call",
        params={"_meta": META, "name": "findPets", "arguments": {"region": "eu"}},
    )
    if stance.routing is not None:
        stance = Stance(routing=modern_head("tools/call", "findPets"))
    publication = Publication(
        server=SERVER, pages=ToolPages(SERVER, additions=additions), view=lambda: VIEW
    )
    assert isinstance(answer_modern(request, stance, publication), Work)


def test_legacy_clients_send_none() -> None:
    http = core()
    circumstances = replace(arrival(open_session(http)), view=lambda: VIEW)
    params = {"name": "findPets", "arguments": {"region": "eu"}}
    decision = http.on_post(circumstances, encoded(message("tools/call", params)))
    assert isinstance(decision, Work)


def test_a_name_that_cannot_be_read_is_no_name() -> None:
    head = modern_head("tools/call", "=?base64?Z?=")
    refused = core().on_post(arrival(*head), encoded(modern_message("tools/call")))
    assert error_of(refused)["code"] == -32020
