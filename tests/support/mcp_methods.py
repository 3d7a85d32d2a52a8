"""The methods of MCP: which of them a server has, and what may come of their parameters.

Written from the specification and sharing no code with the gateway. An outcome is a status with a
JSON-RPC code, or with RESULT or NOTHING; where the specification leaves a choice, several will do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.support.mcp_shapes import MODERN
from tests.support.mcp_shop import ASKING, PROMPT, RESOURCES, TOOLS

RESULT, NOTHING = "result", "nothing"
LOG_LEVEL = "io.modelcontextprotocol/logLevel"
LEVELS = {"debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"}

Outcome = tuple[int, int | str]
Members = Mapping[str, object]

RUNS: Outcome = (200, RESULT)
SILENT: Outcome = (202, NOTHING)
STREAMS: Outcome = (200, NOTHING)
_CANNOT_ASK: Outcome = (400, -32021)
_NEEDED: Mapping[str, set[str]] = {
    "form": {"elicitation.form"},
    "twice": {"elicitation.form"},
    "url": {"elicitation.url"},
    "sampling": {"sampling"},
    "roots": {"roots"},
    "all": {"elicitation.form", "sampling", "roots"},
}


def _invalid(modern: bool) -> Outcome:
    return (400 if modern else 200, -32602)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A legacy session. `api`: the path that it was opened under."""

    revision: str
    api: str | None


@dataclass(slots=True, kw_only=True)
class World:
    """What the model has learned. `capabilities`: what the server declares, by revision."""

    capabilities: dict[str, Members] = field(default_factory=dict)
    sessions: dict[str, Opened] = field(default_factory=dict)

    def serves(self, method: str, revision: str) -> bool:
        """Whether a method exists there and what it belongs to is declared."""
        eras, capability, _ = METHODS.get(method, ("", "", _anything))
        if ("modern" if revision == MODERN else "legacy") not in eras:
            return False
        declared = self.capabilities.get(revision, {})
        if capability == "completions":
            # 2024-11-05 has the method and no name for the capability.
            return any("completions" in each for each in self.capabilities.values())
        if capability == "any change":
            return any(_announces(each) for each in declared.values())
        name, _, part = capability.partition(".")
        return not name or (name in declared and (not part or part in as_object(declared[name])))


def _announces(capability: object) -> bool:
    return any(map(as_object(capability).get, ("listChanged", "subscribe")))


def outcomes_of(message: Members, world: World, revision: str) -> set[Outcome]:
    """What a request may come to once everything around it is right."""
    method, modern = str(message["method"]), revision == MODERN
    if not world.serves(method, revision):
        return {(404 if modern else 200, -32601)}
    params = message.get("params")
    if method == "ping":
        return {RUNS}  # it reads no parameters
    if params is not None and not isinstance(params, dict):
        return {_invalid(modern)}
    return METHODS[method][2](as_object(params), world, modern)


def as_object(value: object) -> Members:
    return value if isinstance(value, dict) else {}


Judge = Callable[[Members, World, bool], set[Outcome]]


def _anything(_: Members, __: World, modern: bool) -> set[Outcome]:
    return {RUNS, _invalid(modern), *(() if modern else ((200, -32002),))}


def _list(params: Members, _: World, modern: bool) -> set[Outcome]:
    return {RUNS} if params.get("cursor") in (None, "") else {_invalid(modern)}


def _call(params: Members, world: World, modern: bool) -> set[Outcome]:
    arguments = params.get("arguments")
    known = isinstance(params.get("name"), str) and params["name"] in TOOLS
    if not known or not (arguments is None or isinstance(arguments, dict)):
        return {_invalid(modern)}
    if modern and not (_fits_level(params) and _fits_retry(params)):
        return {_invalid(modern)}
    if modern and params["name"] in ASKING:
        return _ask(params, as_object(arguments))
    return {RUNS}


def _ask(params: Members, arguments: Members) -> set[Outcome]:
    """What cannot be asked is refused; whether it comes to that may depend on other faults."""
    able = _abilities(as_object(params.get("_meta")))
    wanted = as_object(arguments.get("body")).get("ask")
    needed = _NEEDED.get(wanted if isinstance(wanted, str) else "", set())
    if params["name"] == "addItem" and arguments.keys() == {"body"}:
        if "inputResponses" not in params:
            return {RUNS} if needed <= able else {_CANNOT_ASK}
    elif "elicitation.form" in able:
        return {RUNS}
    return {RUNS, _CANNOT_ASK}


def _abilities(meta: Members) -> set[str]:
    """What a client declares that it can be asked (2026-07-28, elicitation)."""
    declared = as_object(meta.get("io.modelcontextprotocol/clientCapabilities"))
    able = {name for name in ("sampling", "roots") if isinstance(declared.get(name), dict)}
    if isinstance(declared.get("elicitation"), dict):
        modes = as_object(declared["elicitation"])
        able |= {f"elicitation.{mode}" for mode in modes or ("form",)}
    return able


def _fits_level(params: Members) -> bool:
    level = as_object(params.get("_meta")).get(LOG_LEVEL)
    return level is None or (isinstance(level, str) and level in LEVELS)


def _fits_retry(params: Members) -> bool:
    """No state that is made up is genuine."""
    return "requestState" not in params and isinstance(params.get("inputResponses", {}), dict)


def _initialize(params: Members, _: World, modern: bool) -> set[Outcome]:
    return {RUNS} if isinstance(params.get("protocolVersion"), str) else {_invalid(modern)}


def _set_level(params: Members, _: World, modern: bool) -> set[Outcome]:
    level = params.get("level")
    return {RUNS} if isinstance(level, str) and level in LEVELS else {_invalid(modern)}


def _read(params: Members, _: World, modern: bool) -> set[Outcome]:
    uri = params.get("uri")
    if not isinstance(uri, str):
        return {_invalid(modern)}
    if uri.startswith("ocp:"):
        return {RUNS, _unknown(modern)}
    return {RUNS} if uri in RESOURCES else {_unknown(modern)}


def _unknown(modern: bool) -> Outcome:
    return (400, -32602) if modern else (200, -32002)


def _prompt(params: Members, world: World, modern: bool) -> set[Outcome]:
    arguments = params.get("arguments")
    named = params.get("name") == PROMPT and isinstance(arguments, dict)
    if named and isinstance(as_object(arguments).get("who"), str):
        return _anything(params, world, modern)
    return {_invalid(modern)}


def _listen(params: Members, _: World, modern: bool) -> set[Outcome]:
    """An event stream, or what is wrong with what is asked for."""
    if not isinstance(params.get("notifications"), dict):
        return {_invalid(modern)}
    return {STREAMS, _invalid(modern)} if params["notifications"] else {STREAMS}


def _always(_: Members, __: World, ___: bool) -> set[Outcome]:
    return {RUNS}


METHODS: Mapping[str, tuple[str, str, Judge]] = {
    "initialize": ("legacy", "", _initialize),
    "ping": ("legacy", "", _always),
    "server/discover": ("modern", "", _always),
    "tools/list": ("legacy modern", "tools", _list),
    "tools/call": ("legacy modern", "tools", _call),
    "prompts/list": ("legacy modern", "prompts", _list),
    "prompts/get": ("legacy modern", "prompts", _prompt),
    "resources/list": ("legacy modern", "resources", _list),
    "resources/templates/list": ("legacy modern", "resources", _list),
    "resources/read": ("legacy modern", "resources", _read),
    "resources/subscribe": ("legacy", "resources.subscribe", _anything),
    "resources/unsubscribe": ("legacy", "resources.subscribe", _anything),
    "completion/complete": ("legacy modern", "completions", _anything),
    "logging/setLevel": ("legacy", "logging", _set_level),
    "subscriptions/listen": ("modern", "any change", _listen),
}
"""Each method, its eras, the capability that it belongs to, and the judge of its parameters."""
