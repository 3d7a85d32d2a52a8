"""Finding tools by what they are about: a full-text index over a view."""

from gateway.search.finding import FullTextSearch

__all__ = ["FullTextSearch"]
