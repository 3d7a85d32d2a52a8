"""The five revisions of MCP and what each of them has."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What may be sent under one revision. The defaults are those of the newest legacy one."""

    name: str
    modern: bool = False  # stateless envelope: _meta on each request, resultType on each result
    annotations: bool = True  # tool annotations
    audio: bool = True  # audio content blocks
    titles: bool = True  # tool and implementation titles
    icons: bool = True  # icons; the implementation's description
    links: bool = True  # resource_link content blocks
    completions: bool = True  # the capability of that name; the method is in all of them
    block_meta: bool = True  # _meta of blocks, lastModified in their annotations
    structured: bool = True  # structuredContent, JSON objects
    any_structured: bool = False  # structuredContent, any JSON value
    batches: bool = False  # JSON-RPC arrays are received
    elicitation: bool = True  # the client can be asked to fill in a form
    newer_forms: bool = True  # titled and multiple choices, defaults, url mode, sampling with tools
    progress_message: bool = True


V2024_11_05 = Revision(
    name="2024-11-05",
    annotations=False,
    audio=False,
    titles=False,
    icons=False,
    links=False,
    completions=False,
    block_meta=False,
    structured=False,
    elicitation=False,
    newer_forms=False,
    progress_message=False,
)
V2025_03_26 = Revision(
    name="2025-03-26",
    titles=False,
    icons=False,
    links=False,
    block_meta=False,
    structured=False,
    batches=True,
    elicitation=False,
    newer_forms=False,
)
V2025_06_18 = Revision(name="2025-06-18", icons=False, newer_forms=False)
V2025_11_25 = Revision(name="2025-11-25")
V2026_07_28 = Revision(name="2026-07-28", modern=True, any_structured=True)

LEGACY = (V2024_11_05, V2025_03_26, V2025_06_18, V2025_11_25)
"""In order; session ids carry the position, so entries are only ever appended."""

LEGACY_BY_NAME = {revision.name: revision for revision in LEGACY}

LATEST_LEGACY = V2025_11_25

ASSUMED = V2025_03_26
"""For a client that names no revision (2025-06-18 transports, "Protocol Version Header")."""

MODERN_BY_NAME = {V2026_07_28.name: V2026_07_28}
