"""The command line: arguments in, a Config built, the work handed to `gateway.wiring`."""

from gateway.cli.app import main

__all__ = ["main"]
