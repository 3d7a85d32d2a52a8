"""Event ids that say what a listener has heard of, so that any process can tell it the rest.

All that is said on a session's stream follows from the catalog (2025-11-25 transports,
"Resumability and Redelivery"): instead of keeping events for whoever may come back, an id carries
the state of what was published when its event was sent, and a stream that is opened with
`Last-Event-ID` begins with what is different now.
"""

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from gateway.catalog import NOTHING_DECLARED, Catalog, Declared, Subject, Topic, state_of
from gateway.mcp.keys import to_text

_DIGEST_BYTES = 9
_MAX_ID = 128
_ID = re.compile(r"c1" + r"\.([A-Za-z0-9_-]{12})" * 4 + r"\..+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Short digests of the lists and of all the resources that the session watches."""

    tools: str
    resources: str
    prompts: str
    watched: str

    def event_id(self, mark: str) -> str:
        """`mark` makes it one of its kind, as ids must be within a session."""
        return f"c1.{self.tools}.{self.resources}.{self.prompts}.{self.watched}.{mark}"

    def with_news(self, now: "Heard", subject: Subject, *, last: bool) -> "Heard":
        """What has been heard after the notice about `subject`, the last one of a round or not.

        One digest stands for all watched resources, so it changes with the last of them.
        """
        if subject is Topic.TOOLS:
            return replace(self, tools=now.tools)
        if subject is Topic.RESOURCES:
            return replace(self, resources=now.resources)
        if subject is Topic.PROMPTS:
            return replace(self, prompts=now.prompts)
        return now if last else self


def heard_of(
    catalog: Catalog,
    api: str | None,
    uris: Collection[str],
    declared: Declared = NOTHING_DECLARED,
) -> Heard:
    """What is heard by whoever knows this catalog."""

    def listed(topic: Topic) -> str:
        return _short(state_of(catalog, api, topic, declared))

    watched = "".join(f"{uri} {state_of(catalog, api, uri)}\n" for uri in sorted(uris))
    return Heard(
        tools=listed(Topic.TOOLS),
        resources=listed(Topic.RESOURCES),
        prompts=listed(Topic.PROMPTS),
        watched=_short(watched),
    )


def read_event_id(event_id: str) -> Heard | None:
    """What an event id of ours says; None for any other."""
    match = _ID.fullmatch(event_id) if len(event_id) <= _MAX_ID else None
    if match is None:
        return None
    tools, resources, prompts, watched = match.groups()
    return Heard(tools=tools, resources=resources, prompts=prompts, watched=watched)


def missed(heard: Heard, now: Heard, uris: Collection[str]) -> tuple[Subject, ...]:
    """What a listener has to be told when it comes back; of watched resources all or none."""
    subjects: list[Subject] = []
    if heard.tools != now.tools:
        subjects.append(Topic.TOOLS)
    if heard.resources != now.resources:
        subjects.append(Topic.RESOURCES)
    if heard.prompts != now.prompts:
        subjects.append(Topic.PROMPTS)
    if heard.watched != now.watched:
        subjects.extend(sorted(uris))
    return tuple(subjects)


def _short(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return to_text(digest[:_DIGEST_BYTES])
