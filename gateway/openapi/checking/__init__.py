"""The OpenAPI specification against a description: docs/checks.md explains every finding."""

from gateway.openapi.checking.document import MAX_FINDINGS, VERSIONS, check_document

__all__ = ["MAX_FINDINGS", "VERSIONS", "check_document"]
