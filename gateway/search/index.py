"""One view's tools in SQLite's full-text index (FTS5), ranked by BM25."""

import sqlite3
from bisect import bisect_left, bisect_right
from threading import Lock
from weakref import finalize

from gateway.catalog import View
from gateway.search.documents import WEIGHTS, document_of
from gateway.search.words import match_expression

# Words are reduced to their stems: `issues` finds `issue`. Accents and case do not count.
_TOKENIZER = "porter unicode61 remove_diacritics 2"


class ToolIndex:
    """An index in memory. It does not hold its view, and may be asked from any thread."""

    def __init__(self, view: View) -> None:
        # In the order of rows: by API, so that each has a range of its own.
        rows = sorted((tool.api, name) for name, tool in view.tools.items())
        self._apis = [api for api, _ in rows]
        self._names = [name for _, name in rows]
        self._lock = Lock()
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        # Nobody closes an index: it goes when its view goes.
        finalize(self, self._database.close)
        columns = ", ".join(WEIGHTS)
        self._database.execute(
            f"CREATE VIRTUAL TABLE tools USING fts5({columns}, content='', tokenize='{_TOKENIZER}')"
        )
        marks = ", ".join("?" * (1 + len(WEIGHTS)))
        self._database.executemany(
            f"INSERT INTO tools(rowid, {columns}) VALUES ({marks})",  # noqa: S608 - our own names
            (
                (row, *document_of(name, view.tools[name]))
                for row, name in enumerate(self._names, start=1)
            ),
        )
        weights = ", ".join(map(str, WEIGHTS.values()))
        self._ask = (
            "SELECT rowid FROM tools WHERE tools MATCH ? AND rowid BETWEEN ? AND ? "  # noqa: S608
            f"ORDER BY bm25(tools, {weights}), rowid"
        )

    def find(self, question: str, api: str | None = None) -> tuple[str, ...]:
        """The names of all tools that have to do with it, best first; of one API if it is given.

        Empty for a question without a word that tells tools apart.
        """
        expression = match_expression(question)
        if not expression:
            return ()
        with self._lock:
            rows = self._database.execute(self._ask, (expression, *self._range(api)))
            return tuple(self._names[row - 1] for (row,) in rows)

    def _range(self, api: str | None) -> tuple[int, int]:
        if api is None:
            return 1, len(self._names)
        return bisect_left(self._apis, api) + 1, bisect_right(self._apis, api)
