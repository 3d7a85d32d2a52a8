"""Principals: who is calling, as authenticated."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """`name` is typed and unambiguous: `key:ID`, `jwt:ISSUER#SUBJECT` or `anonymous`."""

    name: str


ANONYMOUS = Principal(name="anonymous")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who sent a request. `consumed`: headers, lower-case, that said so; they go no further."""

    principal: Principal
    admin: bool = False
    consumed: frozenset[str] = frozenset()


OPEN_CALLER = Caller(principal=ANONYMOUS)
"""Everybody, where nobody is asked."""
