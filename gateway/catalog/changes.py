"""What of a catalog can be seen to become another, each with its state as a text.

What is declared follows it: in the view of one API an entry is there as long as its tool is.
"""

from enum import Enum

from gateway.catalog.catalog import ApiCatalog, Catalog
from gateway.catalog.digest import digest_of
from gateway.catalog.offerings import NOTHING_DECLARED, Declared, offerings_of
from gateway.catalog.own_resources import OwnKind, read_own_uri


class Topic(Enum):
    """A list that is published."""

    TOOLS = "tools"
    RESOURCES = "resources"
    PROMPTS = "prompts"


Subject = Topic | str
"""A list, or the URI of one resource."""


def can_be_told(uri: str) -> bool:
    """Whether a resource follows from the catalog alone, so that its changes are known."""
    own = read_own_uri(uri)
    return own is not None and own.kind in (OwnKind.API, OwnKind.TOOL)


def state_of(
    catalog: Catalog, api: str | None, subject: Subject, declared: Declared = NOTHING_DECLARED
) -> str:
    """A text that is another one when the subject is, "" for what is not there.

    `api`: whose view, None for that of all APIs.
    """
    if api is not None and api not in catalog.apis:
        return ""
    if subject is Topic.TOOLS:
        return catalog.view(api).digest
    if isinstance(subject, Topic):
        return _listed(catalog, api, subject, declared)
    own = read_own_uri(subject)
    if own is not None and own.kind is OwnKind.API and own.name in _names(catalog, api):
        return _description_of(catalog.apis[own.name])
    if own is not None and own.kind is OwnKind.TOOL:
        tool = catalog.view(api).find(own.name)
        return tool.digest if tool is not None else ""
    return ""


def _listed(catalog: Catalog, api: str | None, topic: Topic, declared: Declared) -> str:
    if topic is Topic.PROMPTS and not declared.prompts:
        return ""  # where there are none, their list is unknown
    offerings = offerings_of(declared, catalog, api)
    if topic is Topic.PROMPTS:
        return digest_of(list(offerings.prompts))
    offers = (*offerings.resources, *offerings.templates)
    return digest_of([[offer.uri, offer.title] for offer in offers])


def _names(catalog: Catalog, api: str | None) -> tuple[str, ...]:
    return tuple(catalog.apis) if api is None else (api,)


def _description_of(api: ApiCatalog) -> str:
    """What the API was made from; where nobody knows, what came of it."""
    return api.origin or digest_of([[name, tool.digest] for name, tool in api.tools.items()])
