"""What refers to each other in a circle: strongly connected components (Tarjan, 1972).

Without recursion: in large descriptions a chain of references outgrows Python's stack.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple


def circles(
    names: Iterable[str], needs: Callable[[str], Iterable[str]]
) -> Iterator[tuple[str, ...]]:
    """All that `names` lead to, circle by circle, each after those that it refers to.

    What refers to nothing that leads back is a circle of its own. `needs` is asked once a name.
    """
    search = _Search(needs)
    for name in names:
        yield from search.start(name)


class _Visit(NamedTuple):
    name: str
    number: int
    place: int  # among the open ones
    needs: Iterator[str]


class _Search:
    """One search, depth first."""

    def __init__(self, needs: Callable[[str], Iterable[str]]) -> None:
        self._needs = needs
        # By name, the number of the oldest open visit that its circle is known to reach.
        self._low: dict[str, int] = {}
        # Visited, and not yet known to be in a circle that is complete.
        self._open: list[str] = []
        self._done: set[str] = set()

    def start(self, root: str) -> Iterator[tuple[str, ...]]:
        low = self._low
        todo = [self._visit(root)] if root not in low else []
        while todo:
            visit = todo[-1]
            need = self._next(visit)
            if need is not None:
                todo.append(self._visit(need))
                continue
            todo.pop()
            if todo:
                outer = todo[-1].name
                low[outer] = min(low[outer], low[visit.name])
            if low[visit.name] == visit.number:
                yield self._close(visit)

    def _visit(self, name: str) -> _Visit:
        number = self._low[name] = len(self._low)
        self._open.append(name)
        return _Visit(name, number, len(self._open) - 1, iter(self._needs(name)))

    def _next(self, visit: _Visit) -> str | None:
        """What `visit` refers to and nobody has seen."""
        low = self._low
        for need in visit.needs:
            if need not in low:
                return need
            if need not in self._done:
                low[visit.name] = min(low[visit.name], low[need])
        return None

    def _close(self, oldest: _Visit) -> tuple[str, ...]:
        """The circle of `oldest` is complete: it is all that was opened since."""
        circle = tuple(self._open[oldest.place :])
        del self._open[oldest.place :]
        self._done.update(circle)
        return circle
