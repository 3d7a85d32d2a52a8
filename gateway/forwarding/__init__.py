"""What changes in the heads of a proxied exchange; bodies never pass through here."""

from gateway.forwarding.provenance import MAX_HOPS, Front, Provenance, is_forwarded
from gateway.forwarding.requests import (
    MARK,
    MAX_GATEWAYS,
    check_path,
    mount_of,
    outbound_head,
    passed_on,
)
from gateway.forwarding.responses import inbound_head

__all__ = [
    "MARK",
    "MAX_GATEWAYS",
    "MAX_HOPS",
    "Front",
    "Provenance",
    "check_path",
    "inbound_head",
    "is_forwarded",
    "mount_of",
    "outbound_head",
    "passed_on",
]
