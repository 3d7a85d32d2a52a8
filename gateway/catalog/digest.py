"""Digests: the same definition has the same one everywhere."""

from hashlib import sha256

from gateway.openapi import canonical


def digest_of(value: object) -> str:
    """SHA-256 of the canonical JSON, 64 lower-case hex digits."""
    return sha256(canonical(value)).hexdigest()
