"""What requests say of themselves in `_meta`."""

import pytest

from gateway.mcp.errors import RpcError
from gateway.mcp.inputs import digest_of_params, read_retry
from gateway.mcp.jsonrpc import RpcRequest
from gateway.mcp.request_meta import log_level, progress_token, trace_of

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def request(meta: object = None, **params: object) -> RpcRequest:
    return RpcRequest(id=1, method="tools/call", params={**params, "_meta": meta})


@pytest.mark.parametrize("token", ["t", "", 7, 0, 1.5])
def test_a_progress_token_keeps_its_type(token: object) -> None:
    found = progress_token(request({"progressToken": token}))
    assert found == token
    assert type(found) is type(token)


@pytest.mark.parametrize("token", [None, True, [], {}])
def test_what_is_no_token_is_ignored(token: object) -> None:
    assert progress_token(request({"progressToken": token})) is None


def test_a_level_must_be_one() -> None:
    key = "io.modelcontextprotocol/logLevel"
    assert log_level(request({key: "notice"})) == "notice"
    assert log_level(request({})) is None
    for wrong in ("loud", "INFO", 3):
        with pytest.raises(RpcError, match="debug") as caught:
            log_level(request({key: wrong}))
        assert caught.value.number == -32602


def test_a_trace_becomes_headers() -> None:
    meta = {"traceparent": PARENT, "tracestate": "a=1", "baggage": "k=v"}
    assert trace_of(request(meta)) == (
        ("traceparent", PARENT),
        ("tracestate", "a=1"),
        ("baggage", "k=v"),
    )


def test_a_state_of_too_many_members_is_left_out() -> None:
    states = [",".join(f"v{n}=1" for n in range(number)) for number in (32, 33)]
    kept = [trace_of(request({"traceparent": PARENT, "tracestate": state})) for state in states]
    assert [len(headers) for headers in kept] == [2, 1]


@pytest.mark.parametrize(
    "meta",
    [
        {"tracestate": "a=1"},
        {"traceparent": PARENT.upper(), "tracestate": "a=1"},
        {"traceparent": PARENT.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32)},
        {"traceparent": f"{PARENT}\r\nX-Evil: 1"},
        {"traceparent": "ff" + PARENT[2:]},
        {"traceparent": 7},
        {"tracestate": "a=1", "traceparent": PARENT[:-1]},
        {"baggage": "k=v\n"},
        {"baggage": "k=" + "v" * 8_192},
        {"baggage": "é"},
        None,
        "text",
    ],
    ids=str,
)
def test_what_breaks_the_form_of_a_trace_is_left_out(meta: object) -> None:
    assert trace_of(request(meta)) == ()


def test_a_first_request_is_no_retry() -> None:
    assert read_retry(request()) is None


def test_answers_and_state_are_read() -> None:
    retry = read_retry(request(inputResponses={"a": 1}, requestState="s"))
    assert retry is not None
    assert (retry.responses, retry.state) == ({"a": 1}, "s")


@pytest.mark.parametrize("member", ["inputResponses", "requestState"])
@pytest.mark.parametrize("value", [None, 12345, [], True])
def test_other_shapes_are_refused(member: str, value: object) -> None:
    with pytest.raises(RpcError, match=member) as caught:
        read_retry(request(**{member: value}))
    assert caught.value.number == -32602


def test_the_digest_is_of_what_every_round_repeats() -> None:
    first = digest_of_params(request({"x": 1}, name="t", arguments={"a": 1, "b": 2}))
    again = digest_of_params(
        request({}, name="t", arguments={"b": 2, "a": 1}, inputResponses={}, requestState="s")
    )
    assert first == again
    assert first != digest_of_params(request(name="t", arguments={"a": 1, "b": 3}))
