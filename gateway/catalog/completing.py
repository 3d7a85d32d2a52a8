"""Values that a client may suggest while somebody fills in a prompt or a URI template."""

from collections.abc import Iterable

from gateway.catalog.offerings import Offerings
from gateway.catalog.own_resources import OwnKind
from gateway.catalog.prompts import Prompt

_OWN_VARIABLES = {
    OwnKind.API.value: frozenset({"api"}),
    OwnKind.TOOL.value: frozenset({"name"}),
    OwnKind.CONTEXT.value: frozenset({"id"}),
    OwnKind.RESULT.value: frozenset({"handle", "start", "length"}),
}


def prompt_values(offerings: Offerings, prompt: Prompt, name: str) -> tuple[str, ...] | None:
    """What the configuration, then the tool's description name; None for no argument of it."""
    argument = prompt.argument(name)
    if argument is None:
        return None
    bound = offerings.tools.get(prompt.tool or "")
    known = bound.suggestions(name) if bound else ()
    return tuple(dict.fromkeys((*argument.completions, *known)))


def template_values(offerings: Offerings, text: str, name: str) -> tuple[str, ...] | None:
    """What is known of a variable; None for no template, or no variable of it."""
    if text in _OWN_VARIABLES:
        return _own_values(offerings, text) if name in _OWN_VARIABLES[text] else None
    resource = offerings.find_template(text)
    if resource is None or resource.template is None or name not in resource.template.names:
        return None
    bound = offerings.tools.get(resource.tool or "")
    return bound.suggestions(name) if bound else ()


def matching(values: Iterable[str], typed: str) -> list[str]:
    """The values with this text in them, those that begin with it first; case does not matter."""
    folded = typed.casefold()
    places = [(value.casefold().find(folded), value) for value in values]
    begin = [value for at, value in places if at == 0]
    return begin + [value for at, value in places if at > 0]


def _own_values(offerings: Offerings, text: str) -> tuple[str, ...]:
    """Of contexts and results nothing is said: they are looked up, never listed."""
    match text:
        case OwnKind.API.value:
            return tuple(api for api, _ in offerings.apis)
        case OwnKind.TOOL.value:
            return tuple(offerings.view.tools)
        case _:
            return ()
