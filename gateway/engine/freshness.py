"""How long what is published stays as it is."""

from collections.abc import Mapping

from gateway.engine.values import Freshness


def milliseconds_left(freshness: Mapping[str, Freshness], api: str | None, now: float) -> int:
    """Until the next source of an API, or of all of them, is read again.

    0 where that may be at any moment, or where nobody knows. `now` on the stopwatch of `due`.
    """
    names = freshness if api is None else (api,)
    dues = [freshness.get(name, Freshness()).due for name in names]
    known = [due for due in dues if due is not None]
    if not known or len(known) < len(dues):
        return 0
    return max(0, int((min(known) - now) * 1_000))
