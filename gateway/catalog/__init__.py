"""Operations in, tools out: names, argument schemas, digests, routes."""

from gateway.catalog.arguments import Argument, Arguments, BodyMode
from gateway.catalog.catalog import ApiCatalog, Catalog, View, read_catalog
from gateway.catalog.digest import canonical, digest_of
from gateway.catalog.files import FILE_MEMBERS, Files, FileUse
from gateway.catalog.media import BodyForm, is_json, is_textual
from gateway.catalog.responses import success_media
from gateway.catalog.routing import Routes
from gateway.catalog.tool import Tool

__all__ = [
    "FILE_MEMBERS",
    "ApiCatalog",
    "Argument",
    "Arguments",
    "BodyForm",
    "BodyMode",
    "Catalog",
    "FileUse",
    "Files",
    "Routes",
    "Tool",
    "View",
    "canonical",
    "digest_of",
    "is_json",
    "is_textual",
    "read_catalog",
    "success_media",
]
