"""Header values that carry what no header can (2026-07-28 transports, value encoding)."""

from base64 import b64decode, b64encode

_START, _END = "=?base64?", "?="


def decode_value(text: str) -> str | None:
    """The text behind `=?base64?...?=`, None where that is not valid.

    Anything without both marks is literal.
    """
    if not (text.startswith(_START) and text.endswith(_END) and len(text) >= len(_START + _END)):
        return text
    coded = text[len(_START) : -len(_END)]
    try:
        raw = b64decode(coded, validate=True)
        decoded = raw.decode()
    except ValueError:
        return None
    # Two codings of one text would be two names of one thing.
    return decoded if b64encode(raw).decode() == coded else None
