"""Inbound: HTTP and stdio as thin shells around the engine."""
