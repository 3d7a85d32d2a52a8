"""What a request says of interactions, and how it goes on with answers."""

import json

import pytest

from gateway.calls import continuation, is_interaction, may_ask, offer
from gateway.messages import Headers, Request, RequestHead, ResponseHead, header

TYPE = "application/vnd.ocp-gateway.interaction+json"
JSON_TYPE: Headers = (("Content-Type", "application/json; charset=utf-8"),)
ALL = frozenset(
    {"progress", "log", "elicitation.form", "elicitation.url", "sampling", "sampling.tools"}
    | {"roots"}
)


def request(
    method: str = "POST", body: bytes | None = b'{"a": 1}', headers: Headers = JSON_TYPE
) -> Request:
    head = RequestHead(method=method, target="/x?y=1", headers=(("Accept", "a/b"), *headers))
    return Request(head=head, body=body)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (request(), True),
        (request("PUT"), True),
        (request("PATCH", headers=(("Content-Type", "application/merge-patch+json"),)), True),
        (request(body=None, headers=()), True),
        (request("GET", None, ()), False),
        (request("DELETE"), False),
        (request(headers=(("Content-Type", "text/plain"),)), False),
        (request(headers=(("Content-Type", "multipart/form-data; boundary=json"),)), False),
        (request(headers=()), False),
    ],
    ids=["POST", "PUT", "PATCH", "none", "GET", "DELETE", "text", "multipart", "untyped"],
)
def test_which_requests_can_be_made_again_with_answers(given: Request, expected: bool) -> None:
    assert may_ask(given) is expected


@pytest.mark.parametrize(
    ("given", "abilities", "words"),
    [
        (
            request(),
            ALL,
            "progress, log, elicitation.form, elicitation.url, sampling, sampling.tools, roots",
        ),
        (request(), frozenset({"roots", "progress", "levitation"}), "progress, roots"),
        (request(), frozenset(), ""),
        (request("GET", None, ()), ALL, "progress, log"),
    ],
    ids=["everything", "some", "nothing", "no questions"],
)
def test_what_is_offered(given: Request, abilities: frozenset[str], words: str) -> None:
    offered = offer(given, abilities)
    assert header(offered.head.headers, "Gateway-Interaction") == words
    assert header(offered.head.headers, "Accept") == f"{TYPE}, */*;q=0.5"
    assert offered.body == given.body


def test_nobody_else_says_what_is_offered() -> None:
    forged = request(headers=(*JSON_TYPE, ("gateway-interaction", "roots"), ("ACCEPT", "c/d")))
    names = [name.lower() for name, _ in offer(forged, frozenset()).head.headers]
    assert sorted(names) == ["accept", "content-type", "gateway-interaction"]


def test_a_continuation_is_the_same_request_in_an_envelope() -> None:
    headers = (*JSON_TYPE, ("Idempotency-Key", "k"))
    given = offer(request(headers=headers), ALL)
    answers = {"a": {"action": "decline"}, "b": {"roots": []}}
    again = continuation(given, answers, {"step": 1})
    assert (again.head.method, again.head.target) == (given.head.method, given.head.target)
    assert dict(again.head.headers) == {**dict(given.head.headers), "Content-Type": TYPE}
    assert isinstance(again.body, bytes)
    assert json.loads(again.body) == {
        "type": "continue",
        "body": {"a": 1},
        "responses": answers,
        "state": {"step": 1},
    }


def test_no_body_and_no_state_are_null() -> None:
    again = continuation(request(body=None, headers=()), {}, None)
    assert again.body == b'{"type":"continue","body":null,"responses":{},"state":null}'


def test_the_body_goes_on_to_the_last_digit() -> None:
    again = continuation(request(body=b'{"n": 1.10, "i": 99999999999999999999}'), {}, 2**80)
    assert isinstance(again.body, bytes)
    assert b'"body":{"n": 1.10, "i": 99999999999999999999}' in again.body
    assert b'"state":%d}' % 2**80 in again.body


@pytest.mark.parametrize(
    ("answer", "goes_up"),
    [
        ({"action": "accept", "content": {"colour": "none of the enum"}}, True),
        ({"action": "cancel"}, True),
        ({"role": "assistant", "content": {"type": "text", "text": "x"}, "model": "m"}, True),
        ({"roots": []}, True),
        ({"roots": [], "more": 1}, True),
        (12345, False),
        (None, False),
        ([{"action": "accept"}], False),
        ({}, False),
        ({"action": 1}, False),
        ({"roots": None}, False),
        ({"role": "assistant", "content": {}}, False),
    ],
    ids=str,
)
def test_what_is_no_answer_is_left_out(answer: object, goes_up: bool) -> None:
    again = continuation(request(), {"asked or not": answer}, None)
    assert isinstance(again.body, bytes)
    assert json.loads(again.body)["responses"] == ({"asked or not": answer} if goes_up else {})


@pytest.mark.parametrize(
    ("method", "status", "content_type", "expected"),
    [
        ("POST", 200, TYPE, True),
        ("GET", 202, f"{TYPE.upper()}; charset=utf-8", True),
        ("POST", 200, "application/json", False),
        ("POST", 200, "application/vnd.ocp-gateway.interaction", False),
        ("POST", 200, "application/x-ndjson", False),
        ("POST", 302, TYPE, False),
        ("POST", 500, TYPE, False),
        ("POST", 204, TYPE, False),
        ("HEAD", 200, TYPE, False),
    ],
)
def test_by_its_very_type(method: str, status: int, content_type: str, expected: bool) -> None:
    head = ResponseHead(status=status, headers=(("Content-Type", content_type),))
    assert is_interaction(method, head) is expected
