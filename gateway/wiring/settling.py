"""What of another configuration a running gateway can take over."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace

from gateway.config import ApiConfig, Config

LIVE_SERVER_KEYS = frozenset({"allowed_hosts", "allowed_origins", "drain_seconds", "ready_when"})
"""Keys of the section `server` that take effect while it runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """`config` is what holds from now on; `waiting` names the keys that a restart would change.

    APIs are told apart by name; `anew` are those that are new or have other settings.
    """

    config: Config
    anew: tuple[ApiConfig, ...]
    gone: tuple[str, ...]
    waiting: tuple[str, ...]


def settle(running: Config, wanted: Config) -> Settlement:
    """Compares configurations whose APIs all have names.

    The operator may do with an API in the configuration what no description may: move it.
    """
    known = {api.name: api for api in running.apis}
    names = {api.name for api in wanted.apis}
    opens = bool(running.api_keys) != bool(wanted.api_keys)
    config = replace(
        running,
        apis=wanted.apis,
        api_keys=running.api_keys if opens else wanted.api_keys,
        server=replace(
            running.server, **{key: getattr(wanted.server, key) for key in LIVE_SERVER_KEYS}
        ),
    )
    waiting = [
        *_differences("server", config.server, wanted.server),
        *_differences("store", config.store, wanted.store),
        *_differences("mcp", config.mcp, wanted.mcp),
        # Who is let in without a key, and whose contexts those are, hangs together.
        *(["auth.api_keys"] if opens else []),
    ]
    return Settlement(
        config=config,
        anew=tuple(api for api in wanted.apis if known.get(api.name) != api),
        gone=tuple(name or "" for name in known if name not in names),
        waiting=tuple(waiting),
    )


def named_as(names: Mapping[str, str], config: Config) -> Config:
    """The configuration with names for APIs that have none; `names` has them by `spec`."""
    return replace(config, apis=tuple(_named(api, names, config) for api in config.apis))


def _named(api: ApiConfig, names: Mapping[str, str], config: Config) -> ApiConfig:
    if api.name is not None:
        return api
    name = names[api.spec]
    return replace(api, name=name, base_url=config.pending_base_urls.get(name))


def _differences(section: str, old: object, new: object) -> Iterator[str]:
    # Sections are dataclasses; fields of theirs that are not keys are made of keys.
    for field in fields(old):  # type: ignore[arg-type]
        if getattr(old, field.name) != getattr(new, field.name):
            yield f"{section}.{field.name}"
