"""What a subscriber is told about a new catalog, in its own revision's words."""

from collections.abc import Iterable, Iterator

from gateway.catalog import Catalog, Declared, Subject, Topic, state_of
from gateway.mcp import Heard, change_notice, heard_of, missed
from gateway.server.subscribers import Subscriber

Notice = tuple[bytes, str]
"""A message and the id of its event, "" for none."""

Watched = tuple[str, ...]
"""URIs that a legacy session has subscribed to, in order."""


class Round:
    """Tells many subscribers of the same changes: each state is worked out once."""

    def __init__(self, declared: Declared) -> None:
        self._declared = declared
        self._states: dict[tuple[Catalog, str | None, Subject], str] = {}
        self._heard: dict[tuple[Catalog, str | None, Watched], Heard] = {}

    def news(self, subscriber: Subscriber, now: Catalog, watched: Watched) -> list[Notice]:
        """What is not as in the catalog that the subscriber knows; it knows `now` afterwards."""
        before, subscriber.catalog = subscriber.catalog, now
        subjects: tuple[Subject, ...] = (*Topic, *watched)
        if subscriber.subscribe is not None:
            subjects = subscriber.subscribe.subjects
        api = subscriber.api
        changed = [s for s in subjects if self._state(before, api, s) != self._state(now, api, s)]
        if not subscriber.mark:
            return [(change_notice(subject, subscriber.subscribe), "") for subject in changed]
        heard = self._heard_of(before, api, watched)
        return list(_with_ids(subscriber, changed, heard, self._heard_of(now, api, watched)))

    def _state(self, catalog: Catalog, api: str | None, subject: Subject) -> str:
        key = (catalog, api, subject)
        if key not in self._states:
            self._states[key] = state_of(catalog, api, subject, self._declared)
        return self._states[key]

    def _heard_of(self, catalog: Catalog, api: str | None, watched: Watched) -> Heard:
        key = (catalog, api, watched)
        if key not in self._heard:
            self._heard[key] = heard_of(catalog, api, watched, self._declared)
        return self._heard[key]


def missed_news(
    subscriber: Subscriber, heard: Heard, watched: Watched, declared: Declared
) -> list[Notice]:
    """What the session's last stream did not live to say."""
    now = heard_of(subscriber.catalog, subscriber.api, watched, declared)
    return list(_with_ids(subscriber, missed(heard, now, watched), heard, now))


def _with_ids(
    subscriber: Subscriber, changed: Iterable[Subject], heard: Heard, now: Heard
) -> Iterator[Notice]:
    subjects = tuple(changed)
    for subject in subjects:
        heard = heard.with_news(now, subject, last=subject == subjects[-1])
        yield change_notice(subject), heard.event_id(subscriber.next_mark())
