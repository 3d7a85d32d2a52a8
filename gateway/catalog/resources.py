"""Resources that the configuration declares (docs/resources-and-prompts.md)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.catalog.uri_templates import UriTemplate

OWN_SCHEME = "gateway:"
"""Of the resources that are the gateway's own."""
_NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredResource:
    """Something to read: what a tool answers, or `data`, which was read with the configuration.

    `uri` is a template's text where there is a `template`. `tool` is a name as calls may use it;
    `media_type` None is the answer's own. `place` is where it was written, as `FILE:LINE`.
    """

    uri: str
    name: str
    template: UriTemplate | None = None
    title: str | None = None
    description: str | None = None
    media_type: str | None = None
    tool: str | None = None
    data: bytes | None = field(default=None, repr=False)
    place: str = ""

    def match(self, uri: str) -> Mapping[str, str] | None:
        """The values of its variables that make it this URI; None where it is another one."""
        if self.template is not None:
            return self.template.match(uri)
        return _NOTHING if uri == self.uri else None
