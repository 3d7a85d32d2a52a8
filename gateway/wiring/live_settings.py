"""Settings that requests are judged by, exchanged while they are."""

from gateway.config import Config, ServerConfig
from gateway.identity import ApiKeys
from gateway.server.guard import Guard


class LiveSettings:
    """`keys` is None where nobody is asked who is calling; that does not change."""

    def __init__(self, config: Config) -> None:
        self.guard = _guard(config.server)
        self.keys = _keys(config) if config.api_keys else None

    def adopt(self, config: Config) -> None:
        """From now on requests are judged by `config`. Raises ConfigError without a secret."""
        keys = _keys(config)
        self.guard.adopt(_guard(config.server))
        if self.keys is not None:
            self.keys.adopt(keys)


def _guard(server: ServerConfig) -> Guard:
    return Guard(
        names=(server.host, *server.allowed_hosts),
        public_url=server.public_url,
        origins=server.allowed_origins,
    )


def _keys(config: Config) -> ApiKeys:
    return ApiKeys((key.id, key.key.reveal(), key.admin) for key in config.api_keys)
