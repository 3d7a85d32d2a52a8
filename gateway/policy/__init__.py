"""Who may do what."""

from gateway.policy.overload import Admission
from gateway.policy.principals import ANONYMOUS, OPEN_CALLER, Caller, Principal

__all__ = ["ANONYMOUS", "OPEN_CALLER", "Admission", "Caller", "Principal"]
