"""A Tool in the words of those who use catalogs."""

from gateway.dialects.ocp import ocp_tool

__all__ = ["ocp_tool"]
