"""Operations in, tools out: names, argument schemas, digests, routes."""

from gateway.catalog.additions import (
    CONTEXT_ARGUMENT,
    CONTEXT_SCHEMA,
    NO_ADDITIONS,
    Additions,
    NativeTool,
)
from gateway.catalog.api_text import description_text
from gateway.catalog.arguments import Argument, Arguments, BodyMode
from gateway.catalog.bound_tools import BoundTool
from gateway.catalog.catalog import (
    ApiCatalog,
    Catalog,
    Make,
    Recall,
    View,
    make_anew,
    read_catalog,
)
from gateway.catalog.changes import Subject, Topic, can_be_told, state_of
from gateway.catalog.completing import matching, prompt_values, template_values
from gateway.catalog.digest import digest_of
from gateway.catalog.files import FILE_MEMBERS, Files, FileUse
from gateway.catalog.media import BodyForm, body_form, is_textual
from gateway.catalog.offerings import (
    NO_OFFERINGS,
    NOTHING_DECLARED,
    Declared,
    Offer,
    Offerings,
    offerings_of,
    prompt_fault,
    resource_fault,
    review_declared,
)
from gateway.catalog.own_resources import CONTEXT_URI, OwnKind, OwnUri, read_own_uri, result_uri
from gateway.catalog.placing import Placement, Places, described_scope, place_operations
from gateway.catalog.prompts import (
    ImagePart,
    Part,
    Prompt,
    PromptArgument,
    PromptMessage,
    ResourcePart,
    Role,
    TextPart,
    ToolPart,
    fill,
    placeholders,
)
from gateway.catalog.recalling import CatalogSummary, recall, summarise
from gateway.catalog.registry_reach import out_of_reach
from gateway.catalog.resources import OWN_SCHEME, DeclaredResource
from gateway.catalog.responses import answer_media, answer_node, success_media
from gateway.catalog.review import review
from gateway.catalog.routing import Routes
from gateway.catalog.selection import Rule, Selection, ToolOverride, name_fault
from gateway.catalog.tool import Tool
from gateway.catalog.uri_templates import UriTemplate, read_template, uri_fault
from gateway.openapi import ContextUse, OcpSupport

__all__ = [
    "CONTEXT_ARGUMENT",
    "CONTEXT_SCHEMA",
    "CONTEXT_URI",
    "FILE_MEMBERS",
    "NOTHING_DECLARED",
    "NO_ADDITIONS",
    "NO_OFFERINGS",
    "OWN_SCHEME",
    "Additions",
    "ApiCatalog",
    "Argument",
    "Arguments",
    "BodyForm",
    "BodyMode",
    "BoundTool",
    "Catalog",
    "CatalogSummary",
    "ContextUse",
    "Declared",
    "DeclaredResource",
    "FileUse",
    "Files",
    "ImagePart",
    "Make",
    "NativeTool",
    "OcpSupport",
    "Offer",
    "Offerings",
    "OwnKind",
    "OwnUri",
    "Part",
    "Placement",
    "Places",
    "Prompt",
    "PromptArgument",
    "PromptMessage",
    "Recall",
    "ResourcePart",
    "Role",
    "Routes",
    "Rule",
    "Selection",
    "Subject",
    "TextPart",
    "Tool",
    "ToolOverride",
    "ToolPart",
    "Topic",
    "UriTemplate",
    "View",
    "answer_media",
    "answer_node",
    "body_form",
    "can_be_told",
    "described_scope",
    "description_text",
    "digest_of",
    "fill",
    "is_textual",
    "make_anew",
    "matching",
    "name_fault",
    "offerings_of",
    "out_of_reach",
    "place_operations",
    "placeholders",
    "prompt_fault",
    "prompt_values",
    "read_catalog",
    "read_own_uri",
    "read_template",
    "recall",
    "resource_fault",
    "result_uri",
    "review",
    "review_declared",
    "state_of",
    "success_media",
    "summarise",
    "template_values",
    "uri_fault",
]
