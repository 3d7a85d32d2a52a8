"""What the configuration says about operations and tools, joined to what the description has."""

from collections.abc import Mapping

import jsonschema_rs
import pytest

from gateway.catalog import (
    ApiCatalog,
    BodyMode,
    Catalog,
    Rule,
    Selection,
    Tool,
    ToolOverride,
    read_catalog,
)
from gateway.errors import MethodNotAllowed, UnknownOperation
from gateway.openapi import read_description
from tests.support.documents import document, operation, query

BODY = {
    "type": "object",
    "properties": {"tenant": {"$ref": "#/components/schemas/Tenant"}, "note": {"type": "string"}},
    "required": ["tenant"],
}
NOWHERE = {"$ref": "#/nowhere"}
PATHS = {
    "/users": {
        "get": operation(
            operationId="listUsers",
            summary="List",
            tags=["users"],
            parameters=[query("limit", {"type": "integer", "maximum": 9}), query("q", {})],
        ),
        "post": operation(operationId="addUser", tags=["users", "admin"], body=BODY),
    },
    "/users/{id}": {
        "parameters": [{"name": "id", "in": "path", "schema": {"type": "string"}}],
        "get": operation(operationId="getUser"),
        "delete": operation(operationId="get_user"),
    },
    "/broken": {"get": operation(operationId="broken", parameters=[NOWHERE], tags=["broken"])},
}
ROOT = document(PATHS, components={"schemas": {"Tenant": {"enum": ["acme", "umbrella"]}}})


def read(
    selection: Selection | None = None, overrides: Mapping[str, ToolOverride] | None = None
) -> ApiCatalog:
    chosen = selection or Selection()
    takes = None if chosen.takes_all else chosen.takes
    return read_catalog(
        read_description(ROOT, api="shop", takes=takes),
        selection=chosen,
        overrides=overrides or {},
    )


def tool(name: str, override: ToolOverride) -> Tool:
    return read(overrides={name: override}).tools[name]


def said(api: ApiCatalog) -> list[tuple[str, str]]:
    assert all(problem in api.problems for problem in api.unapplied)
    return [(problem.severity, problem.message) for problem in api.unapplied]


class TestSelections:
    def test_leave_out_without_renaming_anybody(self) -> None:
        whole, chosen = read(), read(Selection(exclude=(Rule(method="GET", path="/users/*"),)))
        assert list(whole.tools) == ["addUser", "deleteUsersId", "getUser", "listUsers"]
        assert list(chosen.tools) == ["addUser", "deleteUsersId", "listUsers"]

    @pytest.mark.parametrize(
        ("selection", "pointers"),
        [
            (Selection(), ["/paths/~1broken/get/parameters/0"]),
            (Selection(include=(Rule(path="/users/**"),)), []),
            (Selection(exclude=(Rule(tag="broken"),)), []),
            (Selection(exclude=(Rule(tag="users"),)), ["/paths/~1broken/get/parameters/0"]),
        ],
        ids=["nothing said", "not included", "excluded by tag", "another is excluded"],
    )
    def test_say_nothing_of_what_they_leave_out(
        self, selection: Selection, pointers: list[str]
    ) -> None:
        assert [problem.pointer for problem in read(selection).problems] == pointers

    def test_hold_for_descriptions_that_were_read_whole(self) -> None:
        chosen = Selection(include=(Rule(tag="admin"),))
        found = read_catalog(read_description(ROOT, api="shop"), selection=chosen)
        assert list(found.tools) == ["addUser"]

    def test_take_their_operations_out_of_the_routes(self) -> None:
        routes = read(Selection(exclude=(Rule(method="DELETE"), Rule(path="/users")))).routes
        assert routes.match("GET", "/users/1").name == "getUser"
        with pytest.raises(MethodNotAllowed) as caught:
            routes.match("DELETE", "/users/1")
        assert "DELETE" not in caught.value.allowed
        with pytest.raises(UnknownOperation):
            routes.match("GET", "/users")

    def test_that_name_nothing_are_reported(self) -> None:
        chosen = Selection(include=(Rule(tag="users"), Rule(tag="no")), exclude=(Rule(path="/x"),))
        assert said(read(chosen)) == [
            ("warning", "configuration: include/1: matches no operation"),
            ("warning", "configuration: exclude/0: matches no operation"),
        ]


class TestHiddenTools:
    HIDDEN: Mapping[str, ToolOverride] = {
        "getUser": ToolOverride(hidden=True),
        "addUser": ToolOverride(hidden=True),
    }

    def test_are_in_no_list_and_answer_to_no_name(self) -> None:
        view = Catalog([read(overrides=self.HIDDEN)]).view()
        assert list(view.tools) == list(view.generated) == ["deleteUsersId", "listUsers"]
        assert view.find("getUser") is None
        assert view.find("shopGetUser") is None

    def test_are_no_routes(self) -> None:
        routes = read(overrides=self.HIDDEN).routes
        with pytest.raises(MethodNotAllowed) as caught:
            routes.match("GET", "/users/1")
        assert caught.value.allowed == ("DELETE", "OPTIONS")
        with pytest.raises(MethodNotAllowed):
            routes.match("HEAD", "/users/1")

    def test_are_no_problem(self) -> None:
        assert said(read(overrides=self.HIDDEN)) == []


class TestNames:
    def test_given_ones_are_published_and_old_ones_still_answer(self) -> None:
        view = Catalog([read(overrides={"listUsers": ToolOverride(name="people_list")})]).view()
        assert list(view.tools) == ["addUser", "deleteUsersId", "getUser", "people_list"]
        assert list(view.generated) == ["addUser", "deleteUsersId", "getUser", "listUsers"]
        found = view.tools["people_list"]
        for name in ("people_list", "listUsers", "shopListUsers", "shopPeople_list"):
            assert view.find(name) is found, name
        assert view.published_name(found) == "people_list"
        assert view.generated_name(found) == "listUsers"

    def test_that_cannot_be_given_leave_the_generated_one(self) -> None:
        found = read(
            overrides={
                "listUsers": ToolOverride(name="getUser", description="Mine"),
                "addUser": ToolOverride(name="callTool"),
            }
        )
        view = Catalog([found]).view()
        assert list(view.tools) == ["addUser", "deleteUsersId", "getUser", "listUsers"]
        assert view.tools["listUsers"].description == "Mine"
        of_names = "configuration: tools/{}/name: {!r} is {}".format
        assert said(found) == [
            ("error", of_names("listUsers", "getUser", "another tool's generated name")),
            ("error", of_names("addUser", "callTool", "the name of a tool of the gateway's own")),
        ]

    def test_that_mean_another_tool_with_the_apis_name_are_not_given(self) -> None:
        found = read(overrides={"listUsers": ToolOverride(name="shopGetUser")})
        assert "listUsers" in Catalog([found]).view("shop").tools
        reason = "'shopGetUser' means getUser already"
        assert said(found) == [("error", f"configuration: tools/listUsers/name: {reason}")]
        own = read(overrides={"getUser": ToolOverride(name="shopGetUser")})
        assert "shopGetUser" in Catalog([own]).view("shop").tools
        assert said(own) == []

    def test_of_tools_that_there_are_not_are_reported(self) -> None:
        found = read(overrides={"listUser": ToolOverride(hidden=True)})
        assert len(found.tools) == 4
        reason = "there is no tool of this name; did you mean listUsers?"
        assert said(found) == [("error", f"configuration: tools/listUser: {reason}")]

    def test_of_left_out_and_skipped_operations_are_known(self) -> None:
        chosen = Selection(exclude=(Rule(path="/users"),))
        known = {"listUsers": ToolOverride(name="x"), "broken": ToolOverride(hidden=True)}
        assert said(read(chosen, known)) == []


class TestFixedArguments:
    def test_are_in_no_published_schema(self) -> None:
        found = tool("addUser", ToolOverride(set={"tenant": "acme"}))
        assert found.input_schema == {
            "type": "object",
            "additionalProperties": False,
            "properties": {"note": {"type": "string"}},
        }
        assert [a.name for a in found.open_arguments] == ["note"]
        assert found.arguments.body_mode is BodyMode.FLAT
        assert "tenant" not in str(found.definition["arguments"])

    def test_leave_no_trace_of_their_values(self) -> None:
        acme = tool("addUser", ToolOverride(set={"tenant": "acme"}))
        umbrella = tool("addUser", ToolOverride(set={"tenant": "umbrella"}))
        assert acme.digest == umbrella.digest
        assert acme.digest != read().tools["addUser"].digest

    @pytest.mark.parametrize(
        ("name", "fixed", "fault"),
        [
            ("addUser", {"tenant": "evil"}, "set/tenant: "),
            ("addUser", {"tenant": None}, "set/tenant: "),
            ("addUser", {"Note": "x"}, "there is no argument of this name; did you mean note?"),
            ("listUsers", {"limit": 10}, "set/limit: "),
            ("listUsers", {"limit": "1"}, "set/limit: "),
            ("getUser", {"id": 7}, "set/id: "),
        ],
    )
    def test_that_cannot_be_sent_cost_the_tool(
        self, name: str, fixed: dict[str, object], fault: str
    ) -> None:
        found = read(overrides={name: ToolOverride(set=fixed)})
        assert name not in found.tools
        (problem,) = found.unapplied
        assert problem.severity == "error"
        assert problem.pointer.startswith("/paths/~1users")
        assert f" skipped: configuration: tools/{name}/set/" in problem.message
        assert fault in problem.message

    def test_of_hidden_tools_are_checked_too(self) -> None:
        override = ToolOverride(hidden=True, set={"nope": 1})
        assert len(said(read(overrides={"getUser": override}))) == 1


class TestBodies:
    def test_stay_whole_where_that_is_asked(self) -> None:
        found = tool("addUser", ToolOverride(arguments="body"))
        assert [a.name for a in found.arguments.items] == ["body"]
        schema = found.input_schema
        assert schema["required"] == ["body"]
        jsonschema_rs.Draft202012Validator(schema).validate({"body": {"tenant": "acme"}})

    def test_may_be_fixed_whole(self) -> None:
        override = ToolOverride(arguments="body", set={"body": {"tenant": "acme"}})
        assert tool("addUser", override).input_schema == {
            "type": "object",
            "additionalProperties": False,
        }

    @pytest.mark.parametrize(
        ("name", "arguments", "reason"),
        [
            ("addUser", "flat", ""),
            ("addUser", "body", ""),
            ("listUsers", "flat", "the operation has no body"),
            ("listUsers", "body", "the operation has no body"),
        ],
    )
    def test_that_cannot_be_as_asked_are_reported(
        self, name: str, arguments: str, reason: str
    ) -> None:
        override = ToolOverride(arguments=arguments)  # type: ignore[arg-type]
        expected = f"configuration: tools/{name}/arguments: {reason}"
        assert said(read(overrides={name: override})) == ([("warning", expected)] if reason else [])

    def test_are_never_flat_where_something_would_be_lost(self) -> None:
        body = {"oneOf": [{"type": "object"}, {"type": "array"}]}
        root = document({"/a": {"post": operation(operationId="a", body=body)}})
        found = read_catalog(
            read_description(root, api="x"), overrides={"a": ToolOverride(arguments="flat")}
        )
        assert found.tools["a"].arguments.body_mode is BodyMode.WHOLE
        (problem,) = found.unapplied
        assert "separate arguments cannot say what this body can" in problem.message


class TestDefinitions:
    @pytest.mark.parametrize(
        "override",
        [
            ToolOverride(name="x"),
            ToolOverride(description="x"),
            ToolOverride(select="a"),
            ToolOverride(timeout_seconds=1),
            ToolOverride(set={"q": 1}),
            ToolOverride(hidden=True),
        ],
        ids=["name", "description", "select", "time", "fixed argument", "hidden"],
    )
    def test_change_with_what_is_set(self, override: ToolOverride) -> None:
        before, after = read(), read(overrides={"listUsers": override})
        assert Catalog([after]).digest != Catalog([before]).digest
        if not override.hidden:
            assert after.tools["listUsers"].digest != before.tools["listUsers"].digest

    def test_do_not_change_with_settings_that_say_nothing(self) -> None:
        assert Catalog([read(overrides={"listUsers": ToolOverride()})]).digest == (
            Catalog([read()]).digest
        )
