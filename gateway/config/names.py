"""API names that come from a description's title."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from gateway.config.model import ApiConfig, Config
from gateway.errors import ConfigError


def api_name_from_title(title: str) -> str:
    """`GitHub v3 REST API` -> `github-v3-rest-api`; `api` when no letter or digit is left."""
    folded = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "-", folded).strip("-")
    if not name[:1].isalpha():
        name = f"api-{name}"
    return name[:32].rstrip("-")


def name_apis(config: Config, titles: Mapping[str, str]) -> Config:
    """The configuration with a name for every API.

    `titles` maps the `spec` of each API without a name to its description's title. Raises
    ConfigError when two APIs would share a name, or a `--base-url` names none of them.
    """
    waiting = dict(config.pending_base_urls)
    apis = tuple(_named(api, titles, waiting) for api in config.apis)
    counts = Counter(api.name for api in apis)
    faults = [
        f"--spec: {count} APIs would be named {name!r}; write --spec NAME={apis[-1].spec}"
        for name, count in counts.items()
        if count > 1
    ]
    faults += [f"--base-url: no API is named {name!r}" for name in waiting]
    if faults:
        raise ConfigError(*faults)
    return replace(config, apis=apis, pending_base_urls={})


def _named(api: ApiConfig, titles: Mapping[str, str], waiting: dict[str, str]) -> ApiConfig:
    if api.name is not None:
        return api
    name = api_name_from_title(titles.get(api.spec, ""))
    return replace(api, name=name, base_url=waiting.pop(name, None))
