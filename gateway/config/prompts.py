"""`mcp.prompts` into values."""

from base64 import b64encode
from collections.abc import Iterator

from gateway.catalog import (
    ImagePart,
    Part,
    Prompt,
    PromptArgument,
    PromptMessage,
    ResourcePart,
    TextPart,
    ToolPart,
    placeholders,
)
from gateway.config.offered import Entries
from gateway.config.tree import Keys

_PARTS = ("text", "image", "resource", "tool")
_WITH_PLACEHOLDERS = ("text", "resource")


def read_prompts(entries: Entries) -> Iterator[Prompt]:
    """What is declared; what the schema has refused already may be missing."""
    tree = entries.tree
    seen: dict[str, Keys] = {}
    for index in range(tree.size("mcp", "prompts")):
        keys: Keys = ("mcp", "prompts", index)
        entries.check_new(seen, (*keys, "name"))
        arguments = tuple(_arguments(entries, (*keys, "arguments")))
        _check_tools(entries, (*keys, "messages"))
        if tree.at(*keys, "messages") == []:
            tree.fault((*keys, "messages"), "must not be empty")
        yield Prompt(
            name=tree.text(*keys, "name") or "",
            description=tree.text(*keys, "description") or "",
            title=tree.text(*keys, "title"),
            arguments=arguments,
            messages=tuple(_messages(entries, (*keys, "messages"), arguments)),
            place=str(tree.origin(keys)),
        )


def _arguments(entries: Entries, keys: Keys) -> Iterator[PromptArgument]:
    tree = entries.tree
    seen: dict[str, Keys] = {}
    for index in range(tree.size(*keys)):
        at = (*keys, index)
        entries.check_new(seen, (*at, "name"))
        completions = tree.at(*at, "completions")
        yield PromptArgument(
            name=tree.text(*at, "name") or "",
            description=tree.text(*at, "description"),
            required=tree.at(*at, "required") is True,
            completions=tuple(map(str, completions)) if isinstance(completions, list) else (),
        )


def _messages(
    entries: Entries, keys: Keys, arguments: tuple[PromptArgument, ...]
) -> Iterator[PromptMessage]:
    known = {argument.name for argument in arguments}
    for index in range(entries.tree.size(*keys)):
        at = (*keys, index)
        word = entries.one_of(at, _PARTS)
        if word is None:
            continue
        names = placeholders(entries.tree.text(*at, word) or "")
        for name in names if word in _WITH_PLACEHOLDERS else ():
            if name not in known:
                entries.tree.fault((*at, word), f"there is no argument {name!r}")
        is_assistant = entries.tree.text(*at, "role") == "assistant"
        yield PromptMessage(
            role="assistant" if is_assistant else "user", part=_part(entries, (*at, word), word)
        )


def _part(entries: Entries, keys: Keys, word: str) -> Part:
    text = entries.tree.text(*keys) or ""
    if word == "text":
        return TextPart(text=text)
    if word == "resource":
        return ResourcePart(uri=text)
    if word == "tool":
        return ToolPart(tool=text)
    data, media_type = entries.file(keys)
    if not media_type.startswith("image/"):
        entries.tree.fault(keys, "is no image, by the ending of its name")
    return ImagePart(data=b64encode(data or b"").decode(), media_type=media_type)


def _check_tools(entries: Entries, keys: Keys) -> None:
    """A call that asks is made again, and every call before it would be made again with it."""
    tree = entries.tree
    tools = [i for i in range(tree.size(*keys)) if tree.text(*keys, i, "tool") is not None]
    for index in tools[1:]:
        tree.fault((*keys, index, "tool"), "a prompt can call one tool only")
