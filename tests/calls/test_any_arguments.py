"""Whatever the arguments are, they make a request that can be written, or a GatewayError."""

from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.catalog import Tool
from gateway.sources import parse
from tests.support.descriptions_found import OWN
from tests.support.documents import catalog
from tests.support.survival import call

TOOLS = [
    tool
    for path in OWN
    for tool in catalog(parse(path.read_bytes()), path.stem.lower()).tools.values()
]
BY_PLACE = {
    place: [tool for tool in TOOLS if any(a.location == place for a in tool.arguments.items)]
    for place in ("path", "query", "header", "cookie", "body")
}
_any_text = st.text(st.characters(codec=None), max_size=8)
_texts = _any_text | st.sampled_from(
    ["..", ".", "a/b", "%2e%2e", "\r\nX: y", "a b", "é", "eA==", "2024-01-01", "a,b|c;d=e&f"]
)
_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _texts
)
_file = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(["filename", "content_type", "data", "text"], _texts)
)
_json = st.recursive(
    _scalars | _file,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def calls(draw: st.DrawFn) -> tuple[Tool, Mapping[str, object]]:
    """A tool, and values for some of its arguments, perhaps for one that it does not have."""
    place = draw(st.sampled_from(sorted(BY_PLACE)))
    tool = draw(st.sampled_from(BY_PLACE[place]))
    names = [argument.name for argument in tool.arguments.items]
    wanted = draw(st.lists(st.sampled_from([*names, "other"]), unique=True))
    needed = [a.name for a in tool.arguments.items if a.required or a.location == place]
    return tool, {name: draw(_texts | _json) for name in dict.fromkeys((*needed, *wanted))}


@settings(max_examples=300, deadline=None)
@given(calls())
def test_any_json_makes_a_writable_request_or_a_gateway_error(
    made: tuple[Tool, Mapping[str, object]],
) -> None:
    call(*made)
