"""A second opinion on made traffic: openapi-core's, told which operation it is about.

Where the two differ there is a reason, and each is in this list.
"""

import random
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from gateway.catalog import ApiCatalog, Tool
from gateway.sources import parse
from gateway.traffic import Book
from tests.support.documents import REAL, catalog
from tests.support.made_traffic import made_answers, made_requests
from tests.support.openapi_core_judge import OpenapiCore
from tests.support.traffic_shop import DOCUMENT, judge_answer, judge_request

SAMPLE = 20
# Too large for a test of seconds; and one whose every path has patterns that nothing is made for.
LEFT_OUT = frozenset({"github.json", "asana.yaml", "twilio-api-v2010.json"})
SOURCES: Mapping[str, Path | None] = {
    "shop": None,
    "demo": Path(__file__).parents[2] / "gateway" / "demo" / "demo.yaml",
    **{path.name: path for path in REAL if path.name not in LEFT_OUT},
}

# What openapi-core refuses and we let pass, by what it says.
REASONS: Mapping[str, str] = {
    "is not a '": "`format` is an annotation here, as JSON Schema 2020-12 has it",
    "('deepObject'": "it knows deepObject for objects only; Stripe means lists by it, too",
    "'id' is a required property": "it asks for required readOnly properties in requests of 3.1",
    "'secret' is a required property": "and for required writeOnly ones in answers",
    "could not be resolved": "a discriminator whose values name no schema chooses nothing",
    "None is not one of": "`nullable: true` admits null beside an `enum`, for descriptions mean it",
    "Value b'": "it reads JSON of application/json only, not of every +json",
    "Missing required path parameter": "it looks for a path that has a query in it",
    "KeyError": "it cannot tell paths apart that differ behind a `#`",
}


@cache
def read(name: str) -> tuple[ApiCatalog, OpenapiCore]:
    path = SOURCES[name]
    root = DOCUMENT if path is None else parse(path.read_bytes())
    assert isinstance(root, dict)
    return catalog(root), OpenapiCore(root)


def dice() -> random.Random:
    return random.Random(7)  # noqa: S311 - the same traffic every time


def sample(api: ApiCatalog) -> list[Tool]:
    tools = [tool for _, tool in sorted(api.tools.items()) if "#" not in tool.path]
    return dice().sample(tools, min(SAMPLE, len(tools)))


def reason_of(errors: list[Exception]) -> str | None:
    return next((why for text, why in REASONS.items() if text in said(errors)), None)


def said(errors: list[Exception]) -> str:
    return " ".join(f"{type(e).__name__} {e} {e.__cause__}" for e in errors)


def asked(ask: object, *arguments: object) -> list[Exception]:
    assert callable(ask)
    try:
        found = ask(*arguments)
    except Exception as error:  # noqa: BLE001 - whatever it fails with is its answer
        return [error]
    assert isinstance(found, list)
    return found


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", SOURCES)
def test_both_judge_requests_alike(name: str) -> None:
    api, core = read(name)
    book, thrown = Book(), dice()
    agreed = refused = 0
    for tool in sample(api):
        for made in made_requests(tool, thrown):
            head, body = made.head, made.body
            ours = judge_request(tool, head.target, head.headers, body, base_path="", book=book)
            theirs = asked(core.request_errors, tool, head, body)
            if ours.is_sound is not bool(theirs):
                agreed += 1
                refused += not ours.is_sound
            else:
                assert ours.is_sound, (tool.method, tool.path, made, ours.faults())
                assert reason_of(theirs), (tool.method, tool.path, made, said(theirs))
    assert agreed
    assert refused


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", SOURCES)
def test_both_judge_answers_alike(name: str) -> None:
    api, core = read(name)
    book, thrown = Book(), dice()
    agreed = refused = 0
    for tool in sample(api):
        for status, headers, body, what in made_answers(tool, thrown):
            ours = judge_answer(tool, status, headers, body, book=book)
            theirs = asked(core.response_errors, tool, status, headers, body)
            if ours.is_sound is not bool(theirs):
                agreed += 1
                refused += not ours.is_sound
            else:
                assert ours.is_sound, (tool.method, tool.path, what, body, ours.faults())
                assert reason_of(theirs), (tool.method, tool.path, what, body, said(theirs))
    assert agreed
    assert refused
