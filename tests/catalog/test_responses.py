import jsonschema_rs
import orjson
import pytest

from gateway.catalog import Tool, answer_media, success_media
from gateway.catalog.responses import MAX_SCHEMA
from tests.support.documents import catalog, document, only_tool, operation


def ref(name: str) -> dict[str, object]:
    return {"$ref": f"#/components/schemas/{name}"}


def model(*names: str, words: int = 0) -> dict[str, object]:
    text = {"description": "word " * words} if words else {}
    return {"type": "object", "properties": {name: ref(name) for name in names}, **text}


def tool_answering(schema: object, **schemas: object) -> Tool:
    root = document({"/a": {"get": operation(answer=schema)}}, components={"schemas": schemas})
    return only_tool(root)


def definitions(tool: Tool) -> dict[str, object]:
    found = tool.response_schema["$defs"]
    assert isinstance(found, dict)
    return found


def test_of_a_large_answer_the_nearest_definitions_stay() -> None:
    far = {f"F{i}": model(f"F{i + 1}", words=800) for i in range(20)} | {"F20": model()}
    found = definitions(tool_answering(ref("F0"), **far))
    whole = [name for name, schema in found.items() if "description" in str(schema)]
    assert whole == sorted(f"F{i}" for i in range(len(whole)))
    assert 0 < len(whole) < 20
    left_out = found.keys() - whole
    assert left_out == {f"F{len(whole)}"}
    assert found[left_out.pop()] == {"$comment": "left out: the whole would be too large"}


def test_a_cut_answer_still_compiles_and_admits_what_it_does_not_show() -> None:
    circle = {f"C{i}": model(f"C{(i + 1) % 30}", words=800) for i in range(30)}
    schema = tool_answering(ref("C0"), **circle).response_schema
    assert len(orjson.dumps(schema)) < MAX_SCHEMA + 1_000
    value: dict[str, object] = {}
    for i in reversed(range(30)):
        value = {f"C{(i + 1) % 30}": value}
    assert jsonschema_rs.Draft202012Validator(schema, offline=True).is_valid(value)


def test_an_answer_that_is_too_large_on_its_own_is_left_out() -> None:
    enum = [f"{i:08}" for i in range(5_000)]
    schema = tool_answering({"type": "string", "enum": enum}).response_schema
    assert schema == {"$comment": "left out: the whole would be too large"}


def test_an_order_of_components_changes_no_cut() -> None:
    far = {f"F{i}": model(f"F{i * 2 + 1}", f"F{i * 2 + 2}", words=800) for i in range(15)}
    far |= {f"F{i}": model() for i in range(15, 31)}
    tool = tool_answering(ref("F0"), **far)
    turned = tool_answering(ref("F0"), **{name: far[name] for name in reversed(far)})
    assert tool.response_schema == turned.response_schema
    assert tool.digest == turned.digest


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"F20": model("F3")}, id="far beyond what is shown"),
        pytest.param({"F1": model("F2")}, id="what is shown"),
    ],
)
def test_a_digest_covers_the_whole_answer(change: dict[str, object]) -> None:
    far = {f"F{i}": model(f"F{i + 1}", words=800) for i in range(20)} | {"F20": model()}
    before = tool_answering(ref("F0"), **far)
    assert tool_answering(ref("F0"), **{**far, **change}).digest != before.digest
    assert tool_answering(ref("F0"), **far, Alone=model()).digest == before.digest


def test_a_digest_covers_the_definitions_of_the_input_and_what_they_refer_to() -> None:
    def digests(leaf: str) -> dict[str, str]:
        body = {"type": "array", "items": ref("A")}
        schemas = {"A": model("B"), "B": model("A", "C"), "C": {"type": leaf}}
        root = document(
            {"/a": {"post": operation(body=body)}, "/b": {"get": operation()}},
            components={"schemas": schemas},
        )
        return {name: tool.digest for name, tool in catalog(root).tools.items()}

    before, after = digests("string"), digests("integer")
    assert before["postA"] != after["postA"]
    assert before["getB"] == after["getB"]


def test_an_answer_nested_beyond_writing_has_a_digest() -> None:
    deep: object = {"type": "string"}
    for _ in range(300):
        deep = {"items": deep}
    tool = tool_answering(deep)
    assert tool.response_schema == {}
    assert len(tool.digest) == 64


def test_of_definitions_equally_near_the_first_by_name_stay() -> None:
    names = [f"N{i:02}" for i in range(20)]
    near = {name: model("Leaf", words=800) for name in names}
    tool = tool_answering(model(*names), **near, Leaf={"type": "string"})
    whole = [name for name, schema in definitions(tool).items() if "description" in str(schema)]
    assert 0 < len(whole) < 20
    assert whole == names[: len(whole)]


def answer(word: str, *media_types: str) -> dict[str, object]:
    schema = {"type": "object", "description": word}
    content = {media_type: {"schema": schema} for media_type in media_types or ("a/json+json",)}
    return {"description": "", "content": content}


def answering(responses: object) -> Tool:
    return only_tool(document({"/a": {"get": {"responses": responses}}}))


@pytest.mark.parametrize(
    ("responses", "word"),
    [
        pytest.param({"201": answer("b"), "200": answer("a")}, "a", id="the lowest status"),
        pytest.param({"2XX": answer("a"), "299": answer("b")}, "b", id="a status before its range"),
        pytest.param({"2xx": answer("a")}, "a", id="a range in lower case"),
        pytest.param({"default": answer("d")}, "d", id="default alone"),
        pytest.param({"404": answer("e"), "default": answer("d")}, "d", id="default beside errors"),
        pytest.param({"204": {}, "default": answer("d")}, None, id="a success before default"),
        pytest.param({"200": answer("a", "text/csv"), "2XX": answer("b")}, "b", id="what is JSON"),
        pytest.param({200: answer("a")}, "a", id="a number"),
        pytest.param({"404": answer("e")}, None, id="errors only"),
        pytest.param(["200"], None, id="a list"),
        pytest.param({}, None, id="nothing"),
    ],
)
def test_the_answer_is_that_of_the_first_success(responses: object, word: str | None) -> None:
    assert answering(responses).response_schema.get("description") == word


@pytest.mark.parametrize("status", [200, 202, 299, 404])
def test_one_status_and_all_successes_agree_about_what_is_declared(status: int) -> None:
    responses = {"202": answer("a"), "2XX": answer("b"), "default": answer("c")}
    tool = answering(responses)
    ((_, media),) = answer_media(tool.operation, tool.schemas, status)
    found = [media.pointer for _, media in success_media(tool.operation, tool.schemas)]
    assert found == [
        f"/paths/~1a/get/responses/{key}/content/a~1json+json" for key in ("202", "2XX")
    ]
    assert (media.pointer in found) is (status < 300)


@pytest.mark.parametrize(
    ("response", "produces", "expected"),
    [
        pytest.param({"schema": {}}, None, ["application/json"], id="a schema is JSON"),
        pytest.param({"schema": {"type": "file"}}, None, [], id="a file is not"),
        pytest.param({}, None, [], id="no schema"),
        pytest.param({"schema": {}}, ["text/b", "text/a"], ["text/a", "text/b"], id="produces"),
        pytest.param({}, ["text/a"], ["text/a"], id="produces without a schema"),
    ],
)
def test_what_swagger_2_answers(
    response: object, produces: list[str] | None, expected: list[str]
) -> None:
    item = {"responses": {"200": response}, **({"produces": produces} if produces else {})}
    tool = only_tool({"swagger": "2.0", "paths": {"/a": {"get": item}}})
    for found in (
        success_media(tool.operation, tool.schemas),
        answer_media(tool.operation, tool.schemas, 200),
    ):
        assert [media_type for media_type, _ in found] == expected
