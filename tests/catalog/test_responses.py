import jsonschema_rs
import orjson
import pytest

from gateway.catalog import Tool
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
