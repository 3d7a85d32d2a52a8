"""Who may do what."""

from gateway.policy.principals import ANONYMOUS, Principal

__all__ = ["ANONYMOUS", "Principal"]
