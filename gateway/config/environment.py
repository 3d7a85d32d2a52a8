"""`OCP_GATEWAY_*` variables laid over the file."""

import os
import re
from collections.abc import Mapping

from gateway.config.document import read_value
from gateway.config.tree import Keys, Origin, Source, Tree
from gateway.config.validation import suggestion
from gateway.config.vocabulary import schema_at
from gateway.errors import ConfigError

PREFIX = "OCP_GATEWAY_"
# Kubernetes gives every pod such variables for each Service, one called `ocp-gateway` included.
_SERVICE_LINK = re.compile(
    r"(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
_SERVICE_URL = re.compile(r"(tcp|udp|sctp)://.*")


def process_environment() -> Mapping[str, str]:
    """The environment of the process; nothing else in the package reads it."""
    return os.environ


def overlay_environment(tree: Tree, environ: Mapping[str, str]) -> None:
    """Writes every variable's value into the tree; an empty variable counts as not set."""
    ours = {
        name: value
        for name, value in sorted(environ.items())
        if name.upper().startswith(PREFIX) and value and not _is_service_link(name, value)
    }
    _add_apis(tree, ours)
    for name, text in ours.items():
        origin = Origin(source=Source.ENVIRONMENT, label=name)
        keys = _keys(tree, name, origin)
        if keys is None:
            continue
        try:
            tree.put(keys, _value(keys, text, name), origin)
        except ConfigError:
            tree.fault_at(origin, "not a YAML value")


def _is_service_link(name: str, value: str) -> bool:
    rest = name.upper().removeprefix(PREFIX)
    if "__" in rest:
        return False
    is_url = rest == "PORT" or rest.endswith("_PORT")
    return bool(_SERVICE_LINK.fullmatch(rest) or (is_url and _SERVICE_URL.fullmatch(value)))


def _segments(name: str) -> list[str]:
    return name[len(PREFIX) :].lower().split("__")


def _api_name(segment: str) -> str:
    return segment.replace("_", "-")


def _add_apis(tree: Tree, ours: Mapping[str, str]) -> None:
    """An API that no file names is made by its SPEC variable; other keys never make one."""
    for name in ours:
        match _segments(name):
            case ["apis", segment, "spec"]:
                add_api(tree, _api_name(segment), Origin(source=Source.ENVIRONMENT, label=name))
            case _:
                pass


def add_api(tree: Tree, name: str, origin: Origin) -> int | None:
    """The index of the API `name`, appended when it is new; None where `apis` is not a list."""
    found = find_api(tree, name)
    if found is not None:
        return found
    apis = tree.root.get("apis")
    if apis is None:
        apis = tree.root["apis"] = []
    if not isinstance(apis, list):
        return None
    index = len(apis)
    apis.append({"name": name})
    tree.origins["apis", index] = origin
    return index


def find_api(tree: Tree, name: str) -> int | None:
    places = range(tree.size("apis"))
    return next((index for index in places if tree.text("apis", index, "name") == name), None)


def api_names(tree: Tree) -> tuple[str, ...]:
    names = (tree.text("apis", index, "name") for index in range(tree.size("apis")))
    return tuple(name for name in names if name is not None)


def _keys(tree: Tree, name: str, origin: Origin) -> Keys | None:
    segments = _segments(name)
    if segments[0] != "apis":
        return tuple(segments)
    if len(segments) < 3:
        tree.fault_at(origin, f"must be {PREFIX}APIS__NAME__KEY")
        return None
    api = _api_name(segments[1])
    index = find_api(tree, api)
    if index is None:
        tree.fault_at(origin, f"no API is named {api}{suggestion(api, api_names(tree))}")
        return None
    if segments[2] in {"headers", "spec_headers"} and len(segments) == 4:
        section: Keys = ("apis", index, segments[2])
        return (*section, _header_name(tree, section, segments[3]))
    if segments[2] == "tools" and len(segments) > 3:
        section = ("apis", index, "tools")
        return (*section, _written(tree, section, segments[3]), *segments[4:])
    return ("apis", index, *segments[2:])


def _written(tree: Tree, section: Keys, segment: str) -> str:
    """The file's spelling of a key, as variables have no case."""
    known = tree.at(*section)
    keys = known if isinstance(known, dict) else {}
    return next((key for key in keys if key.lower() == segment), segment)


def _header_name(tree: Tree, section: Keys, segment: str) -> str:
    """The file's spelling of the header, so that the variable replaces it instead of joining it."""
    return _written(tree, section, segment.replace("_", "-"))


def _value(keys: Keys, text: str, name: str) -> object:
    """Text stays text where only text is asked for: `...__HEADERS__X_LEVEL=1`."""
    schema = schema_at(keys) or {}
    wanted = schema.get("type")
    if wanted == "string":
        return text
    value = read_value(text, name)
    if isinstance(wanted, list) and "string" in wanted and value is not None:
        return text
    return value
