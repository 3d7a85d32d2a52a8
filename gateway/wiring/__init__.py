"""The one place that knows everything: it reads the Config and puts the parts together."""

from gateway.wiring.checking import Checked, Remark, check_apis
from gateway.wiring.doors import CannotListen
from gateway.wiring.loading import load_catalog
from gateway.wiring.over_stdio import stdio
from gateway.wiring.reconfiguring import ConfigSource
from gateway.wiring.running import run
from gateway.wiring.serving import serve
from gateway.wiring.storing import make_store, make_surroundings

__all__ = [
    "CannotListen",
    "Checked",
    "ConfigSource",
    "Remark",
    "check_apis",
    "load_catalog",
    "make_store",
    "make_surroundings",
    "run",
    "serve",
    "stdio",
]
