"""What stands around operations: security requirements, servers, links."""

from collections.abc import Iterable, Iterator, Mapping

from gateway.openapi.checking.walking import Spot, pointer_of
from gateway.openapi.document import join
from gateway.openapi.findings import Code, Finding, finding
from gateway.openapi.parameters import PLACEHOLDER


def required_schemes(nodes: Iterable[Spot]) -> dict[str, Spot]:
    """Security schemes by name, with the first requirement that asks for each."""
    found: dict[str, Spot] = {}
    for node in nodes:
        for name in node[0] if isinstance(node[0], Mapping) else ():
            found.setdefault(str(name), node)
    return found


def check_security(required: Mapping[str, Spot], defined: Iterable[object]) -> Iterator[Finding]:
    """Schemes that are asked for and defined nowhere; 3.2 also takes an URI for a name."""
    known = {str(name) for name in defined}
    for name, node in required.items():
        if name not in known and "/" not in name and not name.startswith("#"):
            at = join(pointer_of(node), name)
            yield finding(Code.SECURITY_UNDEFINED, at, f"no security scheme is named {name}")


def check_servers(nodes: Iterable[Spot]) -> Iterator[Finding]:
    """Variables of server URLs that are not described, or have no default."""
    for node in nodes:
        if not isinstance(server := node[0], Mapping):
            continue
        url, variables = server.get("url"), server.get("variables")
        known = variables if isinstance(variables, Mapping) else {}
        for name in dict.fromkeys(PLACEHOLDER.findall(url)) if isinstance(url, str) else ():
            variable = known.get(name)
            if not isinstance(variable, Mapping):
                text = f"the URL's {{{name}}} is not described under `variables`"
                yield finding(Code.SERVER_VARIABLE_UNDEFINED, f"{pointer_of(node)}/url", text)
            elif not isinstance(variable.get("default"), str):
                at = join(f"{pointer_of(node)}/variables", name)
                yield finding(Code.SERVER_VARIABLE_NO_DEFAULT, at, "has no default")


def check_links(nodes: Iterable[Spot], operations: Iterable[Spot]) -> Iterator[Finding]:
    """Links to operations by an operationId that no operation has."""
    values = (node[0] for node in operations)
    ids = [value.get("operationId") for value in values if isinstance(value, Mapping)]
    known = {name for name in ids if isinstance(name, str)}
    for node in nodes:
        name = node[0].get("operationId") if isinstance(node[0], Mapping) else None
        if isinstance(name, str) and name not in known:
            at = f"{pointer_of(node)}/operationId"
            yield finding(Code.LINK_OPERATION_UNKNOWN, at, f"no operation has the id {name}")
