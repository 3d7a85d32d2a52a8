from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from gateway.openapi.fingerprints import Fingerprints

Graph = Mapping[str, tuple[bytes, tuple[str, ...]]]

TEXTS = st.sampled_from([b"a", b"b"])
NAMES = tuple("ABCDEF")


def digests(graph: Graph, *order: str) -> dict[str, str]:
    prints = Fingerprints()
    found: dict[str, str] = {}
    for name in order or sorted(graph):
        found |= prints.of([name], graph.__getitem__)
    return found


def reached(graph: Graph, name: str) -> set[str]:
    seen: set[str] = set()
    todo = [name]
    while todo:
        if (each := todo.pop()) not in seen:
            seen.add(each)
            todo += graph[each][1]
    return seen


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    needs = st.lists(st.sampled_from(NAMES), max_size=3).map(tuple)
    return {name: (draw(TEXTS), draw(needs)) for name in NAMES}


@given(graphs(), st.permutations(NAMES))
def test_no_order_changes_a_digest(graph: Graph, order: list[str]) -> None:
    assert digests(graph, *order) == digests(graph)


@given(graphs(), st.lists(st.sampled_from(NAMES), min_size=1, max_size=3))
def test_another_thread_at_the_same_changes_no_digest(graph: Graph, others: list[str]) -> None:
    prints = Fingerprints()
    waiting = list(others)

    def read(name: str) -> tuple[bytes, tuple[str, ...]]:
        # As another thread would, between any two steps of this one.
        if waiting:
            prints.of([waiting.pop()], graph.__getitem__)
        return graph[name]

    assert prints.of(NAMES, read) == digests(graph)
    assert prints.of(NAMES, graph.__getitem__) == digests(graph)


@given(graphs(), st.sampled_from(NAMES))
def test_a_change_is_seen_by_all_that_reach_it_and_nobody_else(graph: Graph, name: str) -> None:
    text, needs = graph[name]
    before, after = digests(graph), digests({**graph, name: (text + b"!", needs)})
    changed = {each for each in NAMES if before[each] != after[each]}
    assert changed == {each for each in NAMES if name in reached(graph, each)}


@given(graphs(), st.sampled_from(NAMES), st.sampled_from(NAMES))
def test_another_reference_is_another_digest(graph: Graph, name: str, need: str) -> None:
    text, needs = graph[name]
    changed = {**graph, name: (text + need.encode(), (*needs, need))}
    assert digests(graph)[name] != digests(changed)[name]


def test_a_long_chain_and_a_large_circle_are_no_recursion() -> None:
    size = 20_000
    chain = {str(i): (b"", (str(i + 1),)) for i in range(size)} | {str(size): (b"", ())}
    assert len(set(digests(chain, "0").values())) == 1
    circle = {str(i): (b"", (str((i + 1) % size),)) for i in range(size)}
    found = digests(circle, "0", "1")
    assert found["0"] == found["1"]
