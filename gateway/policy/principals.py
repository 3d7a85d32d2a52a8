"""Principals: who is calling, as authenticated."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """`name` is typed and unambiguous: `key:ID`, `jwt:ISSUER#SUBJECT` or `anonymous`."""

    name: str


ANONYMOUS = Principal(name="anonymous")
