"""The names of a view: what each tool is published as, and what else it answers to.

Generated names come first: they follow from the descriptions alone, and a name that the
configuration gives never takes one from another tool, be it hidden or left out. What two tools
could mean means neither.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from gateway.catalog.naming import RESERVED, prefixed, shortened, view_names
from gateway.openapi import Signature

Key = tuple[str, str]
"""An operation: its API and its generated name there."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ViewNames:
    """`generated` has every operation, skipped, hidden and left-out ones included."""

    generated: Mapping[Key, str]
    given: Mapping[Key, str]

    @cached_property
    def overriding(self) -> Mapping[Key, str]:
        """Published names that are not the generated ones."""
        return _overriding_names(self.generated, self.given) if self.given else {}

    def published(self, key: Key) -> str:
        return self.overriding.get(key) or self.generated[key]

    @cached_property
    def owners(self) -> Mapping[str, Key | None]:
        """Who is meant by each name that a call may use; None: nobody, because two could be."""
        owners: dict[str, Key | None] = {}
        for level in (
            self.overriding.items(),
            self.generated.items(),
            ((key, prefixed(*key)) for key in self.generated),
            ((key, prefixed(key[0], name)) for key, name in self.given.items()),
        ):
            owners = _claimed(level) | owners
        return owners


def name_view(apis: Mapping[str, Mapping[str, Signature]], given: Mapping[Key, str]) -> ViewNames:
    """The names of a view over `apis`, each with its operations by generated name.

    `given` are the configuration's names, free inside their own API.
    """
    if len(apis) > 1:
        generated = view_names(apis)
    else:
        generated = {(api, name): name for api, signatures in apis.items() for name in signatures}
    return ViewNames(generated=generated, given=given)


def _claimed(level: Iterable[tuple[Key, str]]) -> dict[str, Key | None]:
    claimed: dict[str, Key | None] = {}
    for key, name in level:
        claimed[name] = None if claimed.get(name, key) != key else key
    return claimed


def _overriding_names(generated: Mapping[Key, str], given: Mapping[Key, str]) -> dict[Key, str]:
    """The given name; where another tool answers to it, that name after the API's; else none."""
    taken: dict[str, set[Key]] = {}
    for key, name in generated.items():
        for answered in (name, key[1], prefixed(*key)):
            taken.setdefault(answered, set()).add(key)
    found: dict[Key, str] = {}
    waiting = dict(given)
    after_api = {
        key: shortened(prefixed(key[0], name), " ".join(key)) for key, name in given.items()
    }
    for form in (given, after_api):
        wanted = Counter(form[key] for key in waiting)
        free = {
            key: form[key]
            for key in waiting
            if wanted[form[key]] == 1
            and taken.get(form[key], {key}) == {key}
            and form[key] not in RESERVED
        }
        for key, name in free.items():
            found[key] = name
            taken.setdefault(name, set()).add(key)
            del waiting[key]
    return found
