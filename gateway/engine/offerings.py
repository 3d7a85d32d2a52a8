"""Declared resources and prompts, and what the gateway itself offers to read.

A tool behind one of them is called like any other: it is recorded, and may ask the caller first.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from gateway.calls import Audio, Content, Image, Link, Resource, Text, ToolResult
from gateway.catalog import (
    Catalog,
    Declared,
    DeclaredResource,
    ImagePart,
    Offerings,
    Prompt,
    PromptMessage,
    ResourcePart,
    TextPart,
    ToolPart,
    fill,
    is_textual,
    offerings_of,
    read_own_uri,
    resource_fault,
)
from gateway.engine.own_resources import Owner, read_own
from gateway.engine.values import (
    Call,
    CallOutcome,
    PromptCall,
    PromptOutcome,
    ResourceCall,
    ResourceOutcome,
    ToolCall,
)
from gateway.errors import (
    CannotAsk,
    Fault,
    InputRequired,
    InvalidArguments,
    SourceFailed,
    UnknownPrompt,
    UnknownResource,
)
from gateway.messages import header
from gateway.openapi import essence_of

MAX_ARGUMENT = 65_536
"""Characters of a prompt's argument."""
MAX_REASON = 2_000
_GONE = frozenset({404, 410})


class Caller(Owner, Protocol):
    """What is needed of the Gateway, beside what its own resources need."""

    async def call_tool(self, call: ToolCall) -> CallOutcome: ...


class Offered:
    """What the configuration declares, with the catalog that the gateway has at the moment."""

    def __init__(self, gateway: Caller, declared: Declared) -> None:
        self._gateway = gateway
        self._declared = declared
        self._catalog: Catalog | None = None
        self._settled: dict[str | None, Offerings] = {}

    def offerings(self, api: str | None = None) -> Offerings:
        """What the view of all APIs or of one offers. Raises UnknownApi, ApiUnavailable."""
        self._gateway.view(api)
        catalog = self._gateway.catalog
        if catalog is not self._catalog:
            self._catalog, self._settled = catalog, {}
        if api not in self._settled:
            self._settled[api] = offerings_of(self._declared, catalog, api)
        return self._settled[api]

    async def read(self, call: ResourceCall) -> ResourceOutcome:
        """What is at a URI.

        Raises UnknownResource, SourceFailed, InvalidArguments; InputRequired and CannotAsk where
        the tool behind it does.
        """
        offerings = self.offerings(call.api)
        found = offerings.find_resource(call.uri)
        if found is not None:
            return await self._declared_one(call, offerings, *found)
        own = read_own_uri(call.uri)
        if own is None:
            raise UnknownResource(call.uri)
        return await read_own(self._gateway, call, own)

    async def prompt(self, call: PromptCall) -> PromptOutcome:
        """A prompt's messages. Raises UnknownPrompt, and what `read` does."""
        offerings = self.offerings(call.api)
        prompt = offerings.prompts.get(call.name)
        if prompt is None:
            raise UnknownPrompt(f"there is no prompt {call.name[:128]!r}")
        _check_arguments(prompt, call.arguments)
        # A tool that asks is called again, and everything before it would be done again with it.
        plain = [await self._plain_part(call, message) for message in prompt.messages]
        outcome = await self._tool_part(call, prompt, offerings)
        shown = outcome.result.content if outcome else ()
        messages = (
            (message.role, content)
            for message, contents in zip(prompt.messages, plain, strict=True)
            for content in (shown if contents is None else contents)
        )
        return PromptOutcome(
            description=prompt.description,
            messages=tuple(messages),
            context_id=outcome.context_id if outcome else None,
            recorded=outcome is None or outcome.recorded,
        )

    async def _declared_one(
        self,
        call: ResourceCall,
        offerings: Offerings,
        resource: DeclaredResource,
        values: Mapping[str, str],
    ) -> ResourceOutcome:
        if resource.data is not None:
            contents = _contents_of_data(call.uri, resource.data, resource.media_type)
            return ResourceOutcome(contents=(contents,))
        bound = offerings.tools.get(resource.tool or "")
        fault = resource_fault(resource, bound)
        if bound is None or fault is not None:
            raise SourceFailed(fault or "")
        outcome = await self._call(call, resource.tool, bound.typed(values))
        result = outcome.result
        if result.is_error and result.status in _GONE:
            raise UnknownResource(call.uri)
        _check_result(result)
        return ResourceOutcome(
            contents=tuple(_contents(call.uri, result, resource.media_type)),
            is_private=True,
            context_id=outcome.context_id,
            recorded=outcome.recorded,
            rest=result.rest,
        )

    async def _plain_part(
        self, call: PromptCall, message: PromptMessage
    ) -> tuple[Content, ...] | None:
        """What a message says; None where a tool is to say it."""
        match message.part:
            case TextPart(text=text):
                return (Text(text=fill(text, call.arguments)),)
            case ImagePart(data=data, media_type=media_type):
                return (Image(data=data, media_type=media_type),)
            case ResourcePart(uri=uri):
                return await self._resource_part(call, fill(uri, call.arguments))
            case ToolPart():
                return None

    async def _resource_part(self, call: PromptCall, uri: str) -> tuple[Content, ...]:
        reading = ResourceCall(
            principal=call.principal,
            claim=call.claim,
            api=call.api,
            headers=call.headers,
            trace=call.trace,
            uri=uri,
        )
        try:
            return (await self.read(reading)).contents
        except (InputRequired, CannotAsk):
            # The answers to its questions could not be told from those to the tool's.
            raise SourceFailed(f"{uri[:200]} asks before it can be read: read it first") from None

    async def _tool_part(
        self, call: PromptCall, prompt: Prompt, offerings: Offerings
    ) -> CallOutcome | None:
        if prompt.tool is None:
            return None
        bound = offerings.tools.get(prompt.tool)
        if bound is None:
            raise SourceFailed(f"there is no tool {prompt.tool!r}")
        known = {argument.name for argument in prompt.arguments}
        given = {name: text for name, text in call.arguments.items() if name in known}
        outcome = await self._call(call, prompt.tool, bound.typed(given))
        _check_result(outcome.result)
        return outcome

    async def _call(
        self, call: Call, tool: str | None, arguments: Mapping[str, object]
    ) -> CallOutcome:
        return await self._gateway.call_tool(
            ToolCall(
                principal=call.principal,
                claim=call.claim,
                headers=call.headers,
                trace=call.trace,
                abilities=call.abilities,
                listener=call.listener,
                continuation=call.continuation,
                name=tool or "",
                arguments=arguments,
                declared=True,
            )
        )


def _check_arguments(prompt: Prompt, given: Mapping[str, str]) -> None:
    """What a prompt does not know of is no fault: clients send what they have."""
    missing = [a.name for a in prompt.arguments if a.required and a.name not in given]
    faults = [Fault(pointer=f"/{name}", message="is required") for name in missing]
    for argument in prompt.arguments:
        if len(given.get(argument.name, "")) > MAX_ARGUMENT:
            message = f"has more than {MAX_ARGUMENT} characters"
            faults.append(Fault(pointer=f"/{argument.name}", message=message))
    if faults:
        raise InvalidArguments(*faults)


def _check_result(result: ToolResult) -> None:
    if result.is_error:
        texts = (content.text for content in result.content if isinstance(content, Text))
        raise SourceFailed(next(texts, "the tool behind it failed")[:MAX_REASON])


def _contents_of_data(uri: str, data: bytes, media_type: str | None) -> Resource:
    if is_textual(essence_of(media_type or "")):
        try:
            return Resource(uri=uri, media_type=media_type, text=data.decode())
        except UnicodeDecodeError:
            pass
    return Resource(uri=uri, media_type=media_type, blob=b64encode(data).decode())


def _contents(uri: str, result: ToolResult, media_type: str | None) -> list[Resource]:
    """A result's blocks as what was read at `uri`."""
    answered = essence_of(header(result.headers, "content-type") or "") or "text/plain"
    text_type = "text/plain" if result.rest is not None else media_type or answered
    found: list[Resource] = []
    for content in result.content:
        match content:
            case Text(text=text):
                found.append(Resource(uri=uri, media_type=text_type, text=text))
            case Image(data=data, media_type=own) | Audio(data=data, media_type=own):
                found.append(Resource(uri=uri, media_type=media_type or own, blob=data))
            case Resource():
                found.append(replace(content, uri=uri))
            case Link(uri=link):
                found.append(Resource(uri=uri, media_type="text/uri-list", text=link))
    return found
