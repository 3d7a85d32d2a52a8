"""OCP Gateway: described HTTP APIs as tools that share one conversation context."""

__version__ = "0.1.0"
