import pytest

from gateway.catalog import Tool
from gateway.dialects import ocp_tool
from tests.support.documents import document, only_tool, operation

KEY: list[object] = [{"key": []}]
ROOT: list[object] = [{"oauth": ["read"]}, {"key": [], "tenant": []}]
ABSENT = object()


def tool(root: object, own: object = ABSENT) -> Tool:
    members = {} if own is ABSENT else {"security": own}
    outer = {} if root is ABSENT else {"security": root}
    return only_tool(document({"/a": {"get": operation(**members)}}, **outer))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("root", "own", "expected"),
    [
        pytest.param(ROOT, ABSENT, ROOT, id="the description's"),
        pytest.param(ROOT, KEY, KEY, id="its own instead"),
        pytest.param(ABSENT, KEY, KEY, id="its own alone"),
        pytest.param(ROOT, [], [], id="none for this one"),
        pytest.param([], ABSENT, [], id="none for all"),
        pytest.param(KEY, [{}, {"key": []}], [{}, {"key": []}], id="as one likes"),
        pytest.param(ABSENT, ABSENT, None, id="nothing said"),
        pytest.param(ROOT, None, ROOT, id="its own is null"),
        pytest.param(ROOT, "key", None, id="its own is no list"),
        pytest.param(ROOT, ["key", {"key": "read"}], None, id="its own cannot be read"),
        pytest.param([*KEY, 5], ABSENT, KEY, id="one of them cannot be read"),
        pytest.param([{"k\u200bey": ["re\u200bad", 5]}], ABSENT, [{"key": ["read"]}], id="hidden"),
    ],
)
def test_an_operation_asks_for_its_own_security_else_the_descriptions(
    root: object, own: object, expected: object
) -> None:
    found = tool(root, own)
    assert found.security == expected
    assert ocp_tool(found).get("security") == expected
    assert ("security" in ocp_tool(found)) is (expected is not None)


def test_security_is_part_of_the_digest_wherever_it_is_said() -> None:
    made = (tool(ABSENT), tool(ROOT), tool(KEY), tool([]))
    digests = {found.digest for found in made}
    assert len(digests) == 4
    assert tool(KEY).digest == tool(ROOT, KEY).digest


def test_in_swagger_2_the_root_counts_as_well() -> None:
    root = {"swagger": "2.0", "paths": {"/a": {"get": {}}}, "security": KEY}
    assert only_tool(root).security == KEY
