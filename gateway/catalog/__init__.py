"""Operations in, tools out: names, argument schemas, digests, routes."""

from gateway.catalog.additions import (
    CONTEXT_ARGUMENT,
    CONTEXT_SCHEMA,
    NO_ADDITIONS,
    Additions,
    NativeTool,
)
from gateway.catalog.arguments import Argument, Arguments, BodyMode
from gateway.catalog.catalog import (
    ApiCatalog,
    Catalog,
    Make,
    Recall,
    View,
    make_anew,
    read_catalog,
)
from gateway.catalog.digest import digest_of
from gateway.catalog.files import FILE_MEMBERS, Files, FileUse
from gateway.catalog.media import BodyForm, is_textual
from gateway.catalog.placing import Placement, Places, described_scope, place_operations
from gateway.catalog.recalling import CatalogSummary, recall, summarise
from gateway.catalog.registry_reach import out_of_reach
from gateway.catalog.responses import answer_media, success_media
from gateway.catalog.review import review
from gateway.catalog.routing import Routes
from gateway.catalog.selection import Rule, Selection, ToolOverride, name_fault
from gateway.catalog.tool import Tool
from gateway.openapi import ContextUse, OcpSupport

__all__ = [
    "CONTEXT_ARGUMENT",
    "CONTEXT_SCHEMA",
    "FILE_MEMBERS",
    "NO_ADDITIONS",
    "Additions",
    "ApiCatalog",
    "Argument",
    "Arguments",
    "BodyForm",
    "BodyMode",
    "Catalog",
    "CatalogSummary",
    "ContextUse",
    "FileUse",
    "Files",
    "Make",
    "NativeTool",
    "OcpSupport",
    "Placement",
    "Places",
    "Recall",
    "Routes",
    "Rule",
    "Selection",
    "Tool",
    "ToolOverride",
    "View",
    "answer_media",
    "described_scope",
    "digest_of",
    "is_textual",
    "make_anew",
    "name_fault",
    "out_of_reach",
    "place_operations",
    "read_catalog",
    "recall",
    "review",
    "success_media",
    "summarise",
]
