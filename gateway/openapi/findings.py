"""What a check of a description says: where, how bad, which rule, in one short line."""

from dataclasses import dataclass
from enum import StrEnum

MAX_MESSAGE = 200


class Severity(StrEnum):
    """`invalid` breaks a rule of the specification; `warning` is legal and probably not meant."""

    INVALID = "invalid"
    WARNING = "warning"


class Code(StrEnum):
    """One rule each; docs/checks.md explains every one."""

    STRUCTURE_MISSING = "structure-missing"
    STRUCTURE_UNKNOWN = "structure-unknown"
    STRUCTURE_TYPE = "structure-type"
    STRUCTURE_VALUE = "structure-value"
    STRUCTURE_DEPTH = "structure-depth"
    KEY_DUPLICATE = "key-duplicate"
    SCHEMA_INVALID = "schema-invalid"
    SCHEMA_DIALECT_UNKNOWN = "schema-dialect-unknown"
    REF_UNRESOLVED = "ref-unresolved"
    REF_ENDLESS = "ref-endless"
    REF_EXTERNAL = "ref-external"
    COMPONENT_UNUSED = "component-unused"
    OPERATION_ID_DUPLICATE = "operation-id-duplicate"
    PARAMETER_DUPLICATE = "parameter-duplicate"
    PATH_PARAMETER_UNDECLARED = "path-parameter-undeclared"
    PATH_PARAMETER_UNUSED = "path-parameter-unused"
    PATH_PARAMETER_OPTIONAL = "path-parameter-optional"
    PATH_TWIN = "path-twin"
    BODY_DUPLICATE = "body-duplicate"
    BODY_WITH_FORM = "body-with-form"
    SECURITY_UNDEFINED = "security-undefined"
    SERVER_VARIABLE_UNDEFINED = "server-variable-undefined"
    SERVER_VARIABLE_NO_DEFAULT = "server-variable-no-default"
    LINK_OPERATION_UNKNOWN = "link-operation-unknown"
    OVERLAY_NO_MATCH = "overlay-no-match"
    OCP_EXTENSION_INVALID = "ocp-extension-invalid"
    FINDINGS_CUT = "findings-cut"


WARNINGS = frozenset(
    {
        Code.STRUCTURE_UNKNOWN,
        Code.SCHEMA_DIALECT_UNKNOWN,
        Code.REF_EXTERNAL,
        Code.COMPONENT_UNUSED,
        Code.LINK_OPERATION_UNKNOWN,
        Code.OVERLAY_NO_MATCH,
        Code.OCP_EXTENSION_INVALID,
        Code.FINDINGS_CUT,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`pointer` is the JSON Pointer (RFC 6901) of the place in the document; `""` is the whole."""

    pointer: str
    severity: Severity
    code: Code
    message: str


def finding(code: Code, pointer: str, message: str) -> Finding:
    """A Finding with the severity of its rule and a message fit for one line of a terminal."""
    severity = Severity.WARNING if code in WARNINGS else Severity.INVALID
    return Finding(pointer=pointer, severity=severity, code=code, message=one_line(message))


def one_line(text: str) -> str:
    """At most MAX_MESSAGE printable characters: a description's own words may hold anything."""
    cut = text if len(text) <= MAX_MESSAGE else f"{text[: MAX_MESSAGE - 1]}…"
    return cut if cut.isprintable() else "".join(c if c.isprintable() else "�" for c in cut)
