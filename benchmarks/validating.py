"""What comparing a proxied message with its description costs: openapi-core, and our rules.

The same right requests and answers, made of each description with a fixed seed, for all three.
"""

import gc
import random
import statistics
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from openapi_core import Config, OpenAPI
from openapi_core.testing import MockResponse

from benchmarks.measuring import alternate
from gateway.catalog import ApiCatalog, Tool, read_catalog
from gateway.messages import Headers, RequestHead
from gateway.openapi import read_description
from gateway.sources import parse
from gateway.traffic import Book
from tests.support.made_traffic import Made, made_answers, made_requests
from tests.support.openapi_core_judge import OpenapiCore, seen_request
from tests.support.traffic_shop import judge_answer, judge_request

_SPECS = Path(__file__).parents[2] / "shared" / "specs"
_DEMO = Path(__file__).parents[1] / "gateway" / "demo" / "demo.yaml"
_NAMES = ("box.json", "github.json", "stripe.json", "openai.yaml")
_TOOLS = 40

Answer = tuple[int, Headers, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Api:
    """One description with its right messages."""

    name: str
    root: dict[str, object]
    tools: int
    requests: Sequence[tuple[Tool, Made]]
    answers: Sequence[tuple[Tool, Answer]]


def measure(rounds: int) -> str:
    """Markdown: microseconds of CPU a message, medians; then what compiling takes."""
    warnings.simplefilter("ignore")
    paths = [_DEMO, *(path for name in _NAMES if (path := _SPECS / name).exists())]
    lines = [
        "| description | operations | messages | openapi-core | told the operation | ours |",
        "|---|--:|---|--:|--:|--:|",
    ]
    compiled = [
        "| description | rules | ms each | most | all, MB |",
        "|---|--:|--:|--:|--:|",
    ]
    for path in paths:
        api = _read(path)
        lines += _compared(api, rounds)
        # In a process of its own: what others have let go of is no measure.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
            compiled.append(apart.submit(_compiling, path).result())
    return "\n".join([*lines, "", *compiled])


def _read(path: Path) -> _Api:
    root = parse(path.read_bytes())
    assert isinstance(root, dict)
    catalog = _catalog(root)
    dice = random.Random(7)
    tools = dice.sample(list(catalog.tools.values()), min(_TOOLS, len(catalog.tools)))
    requests = [(t, made) for t in tools for made in made_requests(t, dice) if not made.wrong]
    answers = [
        (t, (status, headers, body))
        for t in tools
        for status, headers, body, wrong in made_answers(t, dice)
        if not wrong
    ]
    return _Api(
        name=path.stem,
        root=root,
        tools=len(catalog.tools),
        requests=requests,
        answers=answers,
    )


def _catalog(root: object) -> ApiCatalog:
    return read_catalog(read_description(root, api="measured"))


def _compared(api: _Api, rounds: int) -> list[str]:
    core, book = OpenapiCore(api.root), Book()
    # Its check of the description takes half a minute, and refuses what providers publish.
    unchecked = Config(spec_validator_cls=None)  # type: ignore[arg-type]
    root = {**api.root, "servers": [{"url": "http://127.0.0.1:9000"}]}
    slow = OpenAPI.from_dict(root, config=unchecked)

    def looked_up(tool: Tool, made: Made) -> object:
        request = seen_request(tool, made.head, made.body)
        request.path_pattern = None
        return list(slow.iter_request_errors(request))

    def answer_looked_up(tool: Tool, answer: Answer) -> object:
        head = RequestHead(method=tool.method, target=_some_path(tool))
        status, headers, body = answer
        request = seen_request(tool, head, None)
        request.path_pattern = None
        response = MockResponse(body, status, dict(headers))
        return list(slow.iter_response_errors(request, response))

    def ours(tool: Tool, made: Made) -> object:
        head = made.head
        return judge_request(tool, head.target, head.headers, made.body, base_path="", book=book)

    rows = []
    for what, messages, ways in (
        (
            "requests",
            api.requests,
            (looked_up, lambda t, m: core.request_errors(t, m.head, m.body), ours),
        ),
        (
            "answers",
            api.answers,
            (
                answer_looked_up,
                lambda t, a: core.response_errors(t, *a),
                lambda t, a: judge_answer(t, *a, book=book),
            ),
        ),
    ):
        figures = _micros(messages, ways, rounds)  # type: ignore[arg-type]
        cells = " | ".join(f"{value:,.0f}" for value in figures)
        rows.append(f"| {api.name} | {api.tools} | {len(messages)} {what} | {cells} |")
    return rows


def _micros(
    messages: Sequence[tuple[Tool, object]],
    ways: Sequence[Callable[[Tool, object], object]],
    rounds: int,
) -> list[float]:
    if not messages:
        return [float("nan")] * len(ways)

    def timed(way: Callable[[Tool, object], object], times: int) -> Callable[[], float]:
        def run() -> float:
            start = time.process_time()
            for _ in range(times):
                for tool, message in messages:
                    _tried(way, tool, message)
            return (time.process_time() - start) / len(messages) / times * 1e6

        return run

    contenders = {str(i): timed(way, 1 if i < 2 else 20) for i, way in enumerate(ways)}
    for run in contenders.values():
        run()
    found: Mapping[str, tuple[float, ...]] = alternate(contenders, rounds)
    return [statistics.median(found[name]) for name in contenders]


def _tried(way: Callable[[Tool, object], object], tool: Tool, message: object) -> None:
    with suppress(Exception):  # what the library cannot read takes its time, too
        way(tool, message)


def _some_path(tool: Tool) -> str:
    return tool.path.replace("{", "").replace("}", "")


def _compiling(path: Path) -> str:
    """The rules of all requests and of all answers with 200, each read once."""
    root = parse(path.read_bytes())
    catalog, book = _catalog(root), Book()
    tools = list(catalog.tools.values())
    for tool in tools:
        _ = tool.operation
    gc.collect()
    before, took = _resident(), []
    for tool in tools:
        for read in (book.read_request, lambda t: book.read_answer(t, 200)):
            start = time.process_time()
            read(tool)
            took.append((time.process_time() - start) * 1000)
    gc.collect()
    grown = (_resident() - before) / 1e6
    median = statistics.median(took)
    return f"| {path.stem} | {len(took):,} | {median:.2f} | {max(took):,.0f} | {grown:,.0f} |"


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
