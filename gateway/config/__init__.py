"""The configuration: YAML file, environment and flags in, one frozen `Config` out."""

from gateway.config.environment import process_environment
from gateway.config.load import load_config
from gateway.config.model import (
    ApiConfig,
    Config,
    McpConfig,
    Overrides,
    ServerConfig,
    StoreConfig,
)
from gateway.config.names import api_name_from_title, name_apis
from gateway.config.secret import Secret
from gateway.config.vocabulary import SCHEMA

__all__ = [
    "SCHEMA",
    "ApiConfig",
    "Config",
    "McpConfig",
    "Overrides",
    "Secret",
    "ServerConfig",
    "StoreConfig",
    "api_name_from_title",
    "load_config",
    "name_apis",
    "process_environment",
]
