"""A small API to try the gateway on, and the gateway in front of it."""
