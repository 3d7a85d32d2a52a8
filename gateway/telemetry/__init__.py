"""What an operator sees: metrics, the access log, request ids and traces."""

from gateway.telemetry.current import current_request_id
from gateway.telemetry.exposition import CONTENT_TYPE, forget_worker
from gateway.telemetry.log_writer import LogWriter, dropped_lines
from gateway.telemetry.observatory import Observatory, Sources
from gateway.telemetry.readings import Number, Tally
from gateway.telemetry.spans import NO_SPANS, Spans
from gateway.telemetry.visits import ACCESS_LOG, EVENT, Visits

__all__ = [
    "ACCESS_LOG",
    "CONTENT_TYPE",
    "EVENT",
    "NO_SPANS",
    "LogWriter",
    "Number",
    "Observatory",
    "Sources",
    "Spans",
    "Tally",
    "Visits",
    "current_request_id",
    "dropped_lines",
    "forget_worker",
]
