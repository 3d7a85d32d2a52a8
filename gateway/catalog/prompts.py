"""Prompts that the configuration declares (docs/resources-and-prompts.md)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

# Whatever else stands between two braces is text.
_PLACEHOLDER = re.compile(r"\{\{ ?([A-Za-z_][A-Za-z0-9_-]{0,63}) ?\}\}")

Role = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptArgument:
    """`completions` are values that clients may suggest."""

    name: str
    description: str | None = None
    required: bool = False
    completions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPart:
    """`text` may have placeholders."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePart:
    """`data` is base64."""

    data: str = field(repr=False)
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourcePart:
    """What can be read at `uri`, which may have placeholders."""

    uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolPart:
    """What `tool` answers to those of the prompt's arguments that it has, too."""

    tool: str


Part = TextPart | ImagePart | ResourcePart | ToolPart


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptMessage:
    role: Role
    part: Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """At most one of the parts is a tool's. `place` is where it was written, as `FILE:LINE`."""

    name: str
    description: str
    title: str | None = None
    arguments: tuple[PromptArgument, ...] = ()
    messages: tuple[PromptMessage, ...] = ()
    place: str = ""

    @property
    def tool(self) -> str | None:
        """The tool that it calls, None if it calls none."""
        parts = (message.part for message in self.messages)
        return next((part.tool for part in parts if isinstance(part, ToolPart)), None)

    def argument(self, name: str) -> PromptArgument | None:
        return next((argument for argument in self.arguments if argument.name == name), None)


def placeholders(text: str) -> tuple[str, ...]:
    """The names between double braces, in their order."""
    return tuple(match[1] for match in _PLACEHOLDER.finditer(text))


def fill(text: str, values: Mapping[str, str]) -> str:
    """`text` with its placeholders replaced, once: braces inside a value stay as they are."""
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], ""), text)
