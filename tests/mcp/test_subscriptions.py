"""`subscriptions/listen`: what is asked for, what is said about it."""

import json
from dataclasses import replace

import pytest

from gateway.catalog import Subject, Topic
from gateway.mcp import (
    QuestionIds,
    Reply,
    Sessions,
    StreamableHttp,
    Subscribe,
    ToolPages,
    acknowledgement,
    change_notice,
    farewell,
    refuse_subscription,
    withdrawal,
)
from gateway.mcp.subscriptions import MAX_URI, MAX_URIS, SUBSCRIPTION_ID
from tests.support.mcp_core import (
    KEY,
    SERVER,
    arrival,
    core,
    encoded,
    error_of,
    message,
    modern_head,
    modern_message,
    result_of,
    spoken,
)

METHOD = "subscriptions/listen"
API = "gateway://apis/pets/openapi"
TOOL = "gateway://tools/listPets"


def ask(notifications: object, *, request_id: object = 1) -> object:
    body = modern_message(METHOD, {"notifications": notifications}, request_id=request_id)
    return core().on_post(arrival(*modern_head(METHOD)), encoded(body))


def said(message: bytes) -> dict[str, object]:
    value = json.loads(message)
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize(
    ("asked", "subjects", "honoured"),
    [
        pytest.param({}, (), {}, id="nothing"),
        pytest.param(
            {"toolsListChanged": True},
            (Topic.TOOLS,),
            {"toolsListChanged": True},
            id="tools",
        ),
        pytest.param(
            {"resourcesListChanged": True, "toolsListChanged": False},
            (Topic.RESOURCES,),
            {"resourcesListChanged": True},
            id="resources, not tools",
        ),
        pytest.param({"promptsListChanged": True}, (), {}, id="prompts, of which there are none"),
        pytest.param({"toolsListChanged": None}, (), {}, id="null is absent"),
        pytest.param({"somethingNew": 7}, (), {}, id="unknown members are ignored"),
        pytest.param(
            {"resourceSubscriptions": [API, "test://mine", TOOL, "gateway://context", API]},
            (API, TOOL),
            {"resourceSubscriptions": [API, TOOL]},
            id="resources that can be told of, once each",
        ),
        pytest.param({"resourceSubscriptions": []}, (), {}, id="no resources"),
        pytest.param({"resourceSubscriptions": ["test://mine"]}, (), {}, id="none to be told of"),
    ],
)
@pytest.mark.parametrize("request_id", [0, 7, "7", ""], ids=repr)
def test_r26_what_can_be_told_is_acknowledged_and_the_id_keeps_its_type(
    asked: object, subjects: tuple[Subject, ...], honoured: object, request_id: str | int
) -> None:
    decision = ask(asked, request_id=request_id)
    assert decision == Subscribe(id=request_id, server=SERVER, subjects=subjects)
    message = said(acknowledgement(decision))
    assert message["method"] == "notifications/subscriptions/acknowledged"
    params = message["params"]
    assert params == {"notifications": honoured, "_meta": {SUBSCRIPTION_ID: request_id}}
    assert isinstance(params, dict)
    assert type(params["_meta"][SUBSCRIPTION_ID]) is type(request_id)


@pytest.mark.parametrize(
    ("api", "there_are", "honoured"),
    [
        pytest.param(None, True, {}, id="all APIs"),
        pytest.param("pets", True, {"promptsListChanged": True}, id="one API"),
        pytest.param("pets", False, {}, id="one API, no prompts"),
    ],
)
def test_prompts_are_told_of_where_they_can_change(
    api: str | None, honoured: dict[str, object], *, there_are: bool
) -> None:
    body = encoded(modern_message(METHOD, {"notifications": {"promptsListChanged": True}}))
    http = with_prompts() if there_are else core()
    decision = http.on_post(arrival(*modern_head(METHOD), api=api), body)
    assert isinstance(decision, Subscribe)
    told = said(acknowledgement(decision))["params"]
    assert isinstance(told, dict)
    assert told["notifications"] == honoured
    discover = encoded(modern_message("server/discover"))
    reply = http.on_post(arrival(*modern_head("server/discover"), api=api), discover)
    declared = result_of(reply)["capabilities"]
    assert isinstance(declared, dict)
    wanted = {"listChanged": True} if honoured else {}
    assert declared.get("prompts") == (wanted if there_are else None)


@pytest.mark.parametrize(("api", "declared"), [(None, {}), ("pets", {"listChanged": True})])
def test_a_session_is_told_whether_prompts_can_change(
    api: str | None, declared: dict[str, object]
) -> None:
    body = encoded(message("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}}))
    reply = with_prompts().on_post(arrival(api=api), body)
    capabilities = result_of(reply)["capabilities"]
    assert isinstance(capabilities, dict)
    assert capabilities["prompts"] == declared


def with_prompts() -> StreamableHttp:
    server = replace(SERVER, prompts=True)
    return StreamableHttp(
        server=server,
        sessions=Sessions((KEY,)),
        questions=QuestionIds((KEY,)),
        pages=ToolPages(server),
    )


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        pytest.param(None, "params.notifications must be an object", id="null"),
        pytest.param([], "params.notifications must be an object", id="a list"),
        pytest.param({"toolsListChanged": 1}, "toolsListChanged", id="a number for a flag"),
        pytest.param({"promptsListChanged": "yes"}, "promptsListChanged", id="a text for a flag"),
        pytest.param({"resourceSubscriptions": API}, "resourceSubscriptions", id="a bare URI"),
        pytest.param({"resourceSubscriptions": [7]}, "resourceSubscriptions", id="no URI"),
        pytest.param(
            {"resourceSubscriptions": ["x:"] * (MAX_URIS + 1)}, str(MAX_URIS), id="too many"
        ),
        pytest.param(
            {"resourceSubscriptions": ["x:" + "y" * MAX_URI]}, str(MAX_URI), id="too long"
        ),
    ],
)
def test_what_is_no_subscription_is_refused_by_name(asked: object, named: str) -> None:
    reply = ask(asked, request_id="a")
    assert isinstance(reply, Reply)
    assert (reply.status, spoken(reply)["id"]) == (400, "a")
    error = error_of(reply)
    assert error["code"] == -32602
    assert named in str(error["message"])


def test_without_notifications_nothing_is_asked_for() -> None:
    reply = core().on_post(arrival(*modern_head(METHOD)), encoded(modern_message(METHOD)))
    assert error_of(reply)["code"] == -32602


@pytest.mark.parametrize(
    ("accept", "status"),
    [("application/json", 406), ("text/event-stream", 200), ("*/*", 200)],
)
def test_it_is_an_event_stream_or_nothing(accept: str, status: int) -> None:
    body = modern_message(METHOD, {"notifications": {}}, request_id=9)
    decision = core().on_post(arrival(*modern_head(METHOD), ("Accept", accept)), encoded(body))
    if status == 200:
        assert isinstance(decision, Subscribe)
    else:
        assert isinstance(decision, Reply)
        assert (decision.status, spoken(decision)["id"]) == (status, 9)


@pytest.mark.parametrize(
    ("subject", "method", "params"),
    [
        (Topic.TOOLS, "notifications/tools/list_changed", {}),
        (Topic.RESOURCES, "notifications/resources/list_changed", {}),
        (Topic.PROMPTS, "notifications/prompts/list_changed", {}),
        (API, "notifications/resources/updated", {"uri": API}),
    ],
    ids=str,
)
def test_r26_a_notice_names_its_subscription_in_the_modern_era_only(
    subject: Subject, method: str, params: dict[str, object]
) -> None:
    subscribe = Subscribe(id=0, server=SERVER, subjects=(subject,))
    modern = said(change_notice(subject, subscribe))
    assert modern == {
        "jsonrpc": "2.0",
        "method": method,
        "params": {**params, "_meta": {SUBSCRIPTION_ID: 0}},
    }
    legacy = said(change_notice(subject))
    assert legacy == {"jsonrpc": "2.0", "method": method} | ({"params": params} if params else {})


def test_the_end_is_a_result_and_over_stdio_a_cancellation_as_well() -> None:
    subscribe = Subscribe(id="s", server=SERVER, subjects=())
    message = said(farewell(subscribe))
    assert message["id"] == "s"
    result = message["result"]
    assert isinstance(result, dict)
    assert result["resultType"] == "complete"
    assert result["_meta"][SUBSCRIPTION_ID] == "s"
    cancelled = said(withdrawal(subscribe))
    assert cancelled["method"] == "notifications/cancelled"
    params = cancelled["params"]
    assert isinstance(params, dict)
    assert params["requestId"] == "s"


def test_one_stream_too_many_is_refused_with_429() -> None:
    reply = refuse_subscription(Subscribe(id=5, server=SERVER, subjects=()))
    assert (reply.status, spoken(reply)["id"], error_of(reply)["code"]) == (429, 5, -32603)
