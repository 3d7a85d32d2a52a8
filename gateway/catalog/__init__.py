"""Operations in, tools out: names, argument schemas, digests, routes."""

from gateway.catalog.arguments import Argument, Arguments, BodyMode
from gateway.catalog.catalog import ApiCatalog, Catalog, View, read_catalog
from gateway.catalog.digest import canonical, digest_of
from gateway.catalog.responses import is_json, success_media
from gateway.catalog.routing import Routes
from gateway.catalog.tool import Tool

__all__ = [
    "ApiCatalog",
    "Argument",
    "Arguments",
    "BodyMode",
    "Catalog",
    "Routes",
    "Tool",
    "View",
    "canonical",
    "digest_of",
    "is_json",
    "read_catalog",
    "success_media",
]
