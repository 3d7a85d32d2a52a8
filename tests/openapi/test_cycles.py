from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from gateway.openapi import circles

NAMES = tuple("ABCDEF")
GRAPHS = st.fixed_dictionaries(
    {name: st.lists(st.sampled_from(NAMES), max_size=3).map(tuple) for name in NAMES}
)
Graph = Mapping[str, tuple[str, ...]]


def reached(graph: Graph, names: tuple[str, ...]) -> set[str]:
    seen: set[str] = set()
    todo = list(names)
    while todo:
        if (name := todo.pop()) not in seen:
            seen.add(name)
            todo += graph[name]
    return seen


@given(GRAPHS, st.lists(st.sampled_from(NAMES), max_size=3))
def test_a_circle_is_all_that_lead_to_each_other(graph: Graph, names: list[str]) -> None:
    found = list(circles(names, graph.__getitem__))
    assert sorted(name for circle in found for name in circle) == sorted(
        reached(graph, tuple(names))
    )
    for circle in found:
        first, *_ = circle
        mutual = {name for name in reached(graph, (first,)) if first in reached(graph, (name,))}
        assert set(circle) == mutual


@given(GRAPHS)
def test_what_a_circle_refers_to_comes_before_it(graph: Graph) -> None:
    before: set[str] = set()
    for circle in circles(NAMES, graph.__getitem__):
        before |= set(circle)
        assert reached(graph, circle) <= before


def test_each_name_is_asked_once() -> None:
    asked: list[str] = []
    graph = {"A": ("B", "B", "A"), "B": ("A",)}

    def needs(name: str) -> tuple[str, ...]:
        asked.append(name)
        return graph[name]

    assert [set(circle) for circle in circles("AB", needs)] == [{"A", "B"}]
    assert sorted(asked) == ["A", "B"]
