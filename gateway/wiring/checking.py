"""Everything that can be said of the configured descriptions, and where in their texts."""

import asyncio
import os.path
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from gateway.catalog import ApiCatalog, Catalog, out_of_reach, review, review_declared
from gateway.config import ApiConfig, Config
from gateway.errors import DescriptionError
from gateway.openapi import Finding, Problem, base_of
from gateway.openapi.checking import check_document
from gateway.sources import Opened, Texts, find_duplicate_keys, is_url, locate, shown
from gateway.wiring.loading import Found, describe_api, find_all, located, opened_or_fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One line of a check.

    `severity` is `error` for what was left out, `invalid` for what breaks the specification and
    was understood all the same, `note` for what is no fault, else `warning`. `place` is a path or
    URL, its `line` counts from 1, 0 is unknown; `pointer` is the JSON Pointer in there; `code`
    names the rule, or is empty.
    """

    severity: str
    place: str
    line: int
    pointer: str
    message: str
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One API: how many tools it gives, and what there is to say about its description."""

    api: str
    tools: int
    remarks: tuple[Remark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """A Remark not placed yet.

    `text` is 0 for the description's own, from 1 for its overlays, a path for another document.
    """

    text: int | str
    severity: str
    pointer: str
    message: str
    code: str = ""


async def check_apis(config: Config) -> tuple[Sequence[Checked], Sequence[str]]:
    """Loads and checks every API, and what the configuration makes of their tools.

    Of the latter come lines that name file and line. Raises DescriptionError when an API is
    unusable.
    """
    named, found = await find_all(config, cache=None)
    pairs = zip(named.apis, found, strict=True)
    checked = await asyncio.gather(*(asyncio.to_thread(_check, api, it) for api, it in pairs))
    catalog = Catalog(catalog for _, catalog in checked)
    declared = review_declared(config.mcp.declared, catalog)
    return [each for each, _ in checked], [f"{place}: {text}" for place, text in declared]


def _check(api: ApiConfig, found: Found) -> tuple[Checked, ApiCatalog]:
    try:
        snapshot, opened = opened_or_fault(found)
        catalog, placement = describe_api(api, opened)
    except DescriptionError as fault:
        raise DescriptionError(located(api, fault)) from fault
    problems = [_problem(problem) for problem in (*catalog.problems, *review(catalog))]
    if reach := out_of_reach(catalog):
        problems.append(_Said(text=0, severity="note", pointer="", message=reach))
    findings = (
        *(_finding(it) for it in check_document(opened.document, placement.description.version)),
        *_overlay_findings(opened),
        *_duplicate_keys(snapshot.texts),
    )
    remarks = tuple(_placed(api, snapshot.texts, _together(problems, findings)))
    return Checked(api=catalog.api, tools=len(catalog.tools), remarks=remarks), catalog


def _problem(problem: Problem) -> _Said:
    text, pointer = _split(problem.pointer)
    return _Said(text=text, severity=problem.severity, pointer=pointer, message=problem.message)


def _finding(finding: Finding) -> _Said:
    text, pointer = _split(finding.pointer)
    return _Said(
        text=text,
        severity=finding.severity,
        pointer=pointer,
        message=finding.message,
        code=finding.code,
    )


def _split(place: str) -> tuple[int | str, str]:
    """The text that a place of a Document is in, and the JSON Pointer in there."""
    base = base_of(place)
    return (base, place.removeprefix(f"{base}#")) if base else (0, place)


def _overlay_findings(opened: Opened) -> Iterator[_Said]:
    for number, findings in enumerate(opened.overlaid, 1):
        yield from (replace(_finding(finding), text=number) for finding in findings)


def _duplicate_keys(texts: Texts) -> Iterator[_Said]:
    all_texts: dict[int | str, bytes] = dict(enumerate((texts.root, *texts.overlays)))
    for text, data in (all_texts | dict(texts.parts)).items():
        for found in find_duplicate_keys(data):
            yield replace(_finding(found), text=text)


def _together(problems: Sequence[_Said], findings: Iterable[_Said]) -> Iterator[_Said]:
    """Problems and findings; what both have found is said once, as a problem with a code."""
    places: dict[tuple[int | str, str], list[int]] = defaultdict(list)
    for number, problem in enumerate(problems):
        places[problem.text, problem.pointer].append(number)
    merged = list(problems)
    for found in findings:
        at = found.pointer.removesuffix("/$ref")
        # The finding's words are cut to a line.
        words = found.message.removesuffix("…")
        same = [n for n in places.get((found.text, at), ()) if words in problems[n].message]
        for number in same:
            grave = merged[number].severity == "error"
            severity = "error" if grave else found.severity
            merged[number] = replace(merged[number], severity=severity, code=found.code)
        if not same:
            yield found
    yield from merged


def _placed(api: ApiConfig, texts: Texts, said: Iterable[_Said]) -> Iterator[Remark]:
    """Text by text, the description's own first, each in the order of its lines."""

    def order(item: _Said) -> tuple[bool, str]:
        return item.text != 0, str(item.text)

    for _, group in groupby(sorted(said, key=order), key=order):
        items = list(group)
        place, data = _text(api, texts, items[0].text)
        positions = locate(data, [item.pointer for item in items])
        remarks = [
            Remark(
                severity=item.severity,
                place=place,
                line=positions[item.pointer].line if item.pointer in positions else 0,
                pointer=item.pointer,
                message=item.message,
                code=item.code,
            )
            for item in items
        ]
        yield from sorted(remarks, key=lambda remark: remark.line)


def _text(api: ApiConfig, texts: Texts, text: int | str) -> tuple[str, bytes]:
    """A text's place as it is shown, and its bytes."""
    if isinstance(text, str):
        directory = api.spec.rpartition("/")[0]
        return _shown(f"{directory}/{text}"), texts.parts.get(text, b"")
    if text:
        return _shown(api.overlays[text - 1]), texts.overlays[text - 1]
    return _shown(api.spec), texts.root


def _shown(location: str) -> str:
    """A path as one would write it here, a URL without its secrets."""
    if is_url(location):
        return shown(location)
    near = os.path.relpath(location)
    return os.path.normpath(location) if near.startswith("..") else near
