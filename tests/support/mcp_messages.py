"""Hypothesis strategies for what clients may say to `/mcp`: right, nearly right, and wrong."""

import json
from collections.abc import Mapping

from hypothesis import strategies as st

from tests.support.mcp_methods import LEVELS, LOG_LEVEL, METHODS
from tests.support.mcp_model import CAPABILITIES, VERSION
from tests.support.mcp_shapes import LEGACY, MODERN
from tests.support.mcp_shop import ANSWERS, INTERACTIONS, PROMPT, RESOURCES

MOSTLY = st.sampled_from([True] * 9 + [False])
JUNK = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
    | st.lists(st.none() | st.text(max_size=3), max_size=2)
    | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
)
IDS = st.integers(-(2**40), 2**40) | st.text(max_size=6) | st.sampled_from([0, "", -1, "1", 2**63])
METHOD_NAMES = st.sampled_from([*METHODS] * 4 + ["tasks/list", "tools", "", "x" * 300])
NOTIFICATIONS = st.sampled_from(
    ["notifications/initialized", "notifications/roots/list_changed", "notifications/x"]
)
ABLE: dict[str, object] = {
    "elicitation": {"form": {}, "url": {}},
    "sampling": {"tools": {}},
    "roots": {"listChanged": True},
}
CLIENT_CAPABILITIES: st.SearchStrategy[dict[str, object]] = st.just(ABLE) | st.fixed_dictionaries(
    {},
    optional={
        "elicitation": st.sampled_from([{}, {"form": {}}, {"url": {}}, None]),
        "sampling": st.sampled_from([{}, {"tools": {}}]),
        "roots": st.just({"listChanged": True}),
    },
)
API_NAMES = st.sampled_from([None, None, None, "shop"])

_ITEMS = st.sampled_from(["7", "a b", "", ".."])
ARGUMENTS: Mapping[str, st.SearchStrategy[object]] = {
    "listItems": st.fixed_dictionaries({}, optional={"q": st.sampled_from(list(ANSWERS))}),
    "addItem": st.fixed_dictionaries(
        {"body": st.sampled_from([{"ask": ask} for ask in INTERACTIONS] * 2 + [None, 1, []])}
    ),
    "getItem": st.fixed_dictionaries({}, optional={"id": _ITEMS}),
    "dropItem": st.fixed_dictionaries({"id": _ITEMS}),
    "findItem": st.fixed_dictionaries(
        {},
        optional={
            "region": st.sampled_from(["eu", "", " e", "=?base64?eA==?=", "\u00e9", None]) | JUNK,
            "size": st.sampled_from([7, 0, -1, None]) | JUNK,
        },
    ),
}


@st.composite
def calls(draw: st.DrawFn) -> dict[str, object]:
    """The parameters of a `tools/call`, most of them fit to be carried out."""
    name = draw(st.sampled_from([*ARGUMENTS, "addItem"] * 3 + ["nothing", ""]))
    named = ARGUMENTS.get(name, JUNK)
    params: dict[str, object] = {"name": name if draw(MOSTLY) else draw(JUNK)}
    if draw(MOSTLY):
        params["arguments"] = draw(named if draw(MOSTLY) else JUNK)
    return params if draw(MOSTLY) else params | draw(_RETRIES)


_RETRIES: st.SearchStrategy[dict[str, object]] = st.fixed_dictionaries(
    {},
    optional={
        "inputResponses": st.just({}) | JUNK,
        "requestState": st.sampled_from(["", "v1.AAAA", "v1." + "A" * 90 + "-TAMPERED"]) | JUNK,
    },
)
_PARAMETERS: Mapping[str, st.SearchStrategy[dict[str, object]]] = {
    "tools/call": calls(),
    "initialize": st.fixed_dictionaries(
        {"protocolVersion": st.sampled_from([*LEGACY, MODERN, "2099-01-01"]) | JUNK},
        optional={"capabilities": CLIENT_CAPABILITIES | JUNK, "clientInfo": JUNK},
    ),
    "logging/setLevel": st.fixed_dictionaries({}, optional={"level": st.sampled_from([*LEVELS])}),
}
_LISTS = st.fixed_dictionaries({}, optional={"cursor": st.sampled_from(["", "x", None]) | JUNK})
_OTHER = st.fixed_dictionaries(
    {},
    optional={
        "uri": st.sampled_from([*RESOURCES, "ocp://nothing", "test://x"]) | JUNK,
        "name": st.sampled_from([PROMPT, "nobody"]) | JUNK,
        "arguments": st.fixed_dictionaries({"who": st.just("Ann") | JUNK}) | JUNK,
        "ref": st.fixed_dictionaries({"type": st.sampled_from(["ref/prompt", "ref/resource"])}),
        "argument": st.fixed_dictionaries({"name": JUNK, "value": JUNK}),
        "level": JUNK,
        "notifications": st.just({"toolsListChanged": True}) | JUNK,
    },
)


@st.composite
def requests(draw: st.DrawFn, methods: st.SearchStrategy[str] = METHOD_NAMES) -> dict[str, object]:
    """A request without any envelope."""
    method = draw(methods)
    request: dict[str, object] = {"jsonrpc": "2.0", "id": draw(IDS), "method": method}
    fitting = _LISTS if method.endswith("/list") else _PARAMETERS.get(method, _OTHER)
    if draw(MOSTLY):
        request["params"] = draw(fitting if draw(MOSTLY) else JUNK)
    return request


NOTICES = st.fixed_dictionaries(
    {"jsonrpc": st.just("2.0"), "method": NOTIFICATIONS}, optional={"params": JUNK}
)
CANCELLATIONS = st.fixed_dictionaries(
    {
        "jsonrpc": st.just("2.0"),
        "method": st.just("notifications/cancelled"),
        "params": st.fixed_dictionaries({"requestId": IDS | JUNK}),
    }
)
RESPONSES = st.fixed_dictionaries({"jsonrpc": st.just("2.0"), "id": IDS, "result": JUNK})
MISFITS = (
    JUNK
    | st.fixed_dictionaries({"jsonrpc": st.just("2.0"), "id": JUNK, "method": METHOD_NAMES})
    | st.fixed_dictionaries({"jsonrpc": st.just("1.0"), "id": IDS, "method": METHOD_NAMES})
    | st.fixed_dictionaries({"jsonrpc": st.just("2.0"), "id": IDS, "method": JUNK})
    | st.fixed_dictionaries({"jsonrpc": st.just("2.0"), "id": IDS})
)
CALLS = requests(st.just("tools/call"))
MESSAGES = st.one_of(
    CALLS, CALLS, requests(), requests(), NOTICES, CANCELLATIONS, RESPONSES, MISFITS
)
BATCHES = st.lists(MESSAGES, max_size=5) | st.sampled_from([[], [{}] * 101, [[]], [None]])

BROKEN = st.sampled_from(
    [
        b"",
        b" ",
        b"{",
        b'{"jsonrpc":"2.0","id":1,"method":"ping"',
        b'{"a":NaN}',
        b"Infinity",
        b"-Infinity",
        b"[" * 5_000,
        b'{"a":' * 200 + b"1" + b"}" * 200,
        b"1e999",
        b"\xff",
        b'"\xed\xa0\x80"',
        b'"\\ud800"',
        b"\xef\xbb\xbf{}",
        b"{'a':1}",
        b'{"a":1,}',
        b"01",
        b'"\t"',
        b"nul",
        b"{}{}",
    ]
)


@st.composite
def envelopes(draw: st.DrawFn) -> object:
    """`_meta` of a modern request, nine times in ten complete."""
    if draw(MOSTLY):
        versions = st.sampled_from([MODERN] * 8 + ["2030-01-01", "2025-11-25"])
        meta: dict[str, object] = {
            VERSION: draw(versions),
            CAPABILITIES: draw(CLIENT_CAPABILITIES),
        }
        return meta | draw(_EXTRAS)
    broken = {VERSION: draw(st.just(MODERN) | JUNK), CAPABILITIES: draw(JUNK)}
    kept = draw(st.sets(st.sampled_from(sorted(broken))))
    return draw(st.just({key: broken[key] for key in kept}) | JUNK)


_EXTRAS: st.SearchStrategy[dict[str, object]] = st.fixed_dictionaries(
    {},
    optional={
        LOG_LEVEL: st.sampled_from([*LEVELS, "loud"]),
        "progressToken": IDS,
        "traceparent": st.just("00-" + "a" * 32 + "-" + "b" * 16 + "-01") | JUNK,
        "io.modelcontextprotocol/clientInfo": st.just({"name": "tester"}) | JUNK,
    },
)


def text_of(value: object) -> bytes:
    return json.dumps(value).encode()
