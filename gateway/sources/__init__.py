"""Where descriptions come from."""

from gateway.sources.loading import is_url, load_document, parse, shown

__all__ = ["is_url", "load_document", "parse", "shown"]
