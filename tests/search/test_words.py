"""Texts as words, questions as expressions."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.search.words import MAX_WORDS, join_words, match_expression, split_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("listPullRequests", ["list", "pull", "requests"], id="camelCase"),
        pytest.param("getHTTPResponse", ["get", "http", "response"], id="an acronym inside"),
        pytest.param("repos/list-for_org", ["repos", "list", "for", "org"], id="punctuation"),
        pytest.param("/v2/items/{itemId}", ["v2", "items", "item", "id"], id="a path"),
        pytest.param("Crème brûlée", ["crème", "brûlée"], id="accents stay for the tokenizer"),
        pytest.param("查询订单", ["查 询 订 单"], id="a script without spaces"),
        pytest.param('"; -- NEAR(', ["near"], id="syntax of others"),
        pytest.param("a\ud800b", ["a", "b"], id="a lone surrogate"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_a_text_is_split_into_words(text: str, words: list[str]) -> None:
    assert list(split_words(text)) == words


def test_each_word_is_indexed_once() -> None:
    assert join_words("listPets", "List pets, all pets") == "list pets all"


@pytest.mark.parametrize(
    ("question", "expression"),
    [
        pytest.param("pets", '"pets" OR "pets" *', id="one word"),
        pytest.param("a pet", '"pet" OR "pet" * OR "a pet"', id="the last may be short"),
        pytest.param(
            "old pets now",
            '"old" OR "pets" OR "now" OR "pets" * OR "now" * OR "old pets" OR "pets now"',
            id="several",
        ),
        pytest.param("how do I use the", "", id="stop words"),
        pytest.param("  ?!  ", "", id="no word"),
    ],
)
def test_a_question_is_an_expression(question: str, expression: str) -> None:
    assert match_expression(question) == expression


def test_a_long_question_is_cut() -> None:
    words = [f"word{number}" for number in range(1_000)]
    assert match_expression(" ".join(words)) == match_expression(" ".join(words[:MAX_WORDS]))
    assert words[MAX_WORDS - 1] in match_expression(" ".join(words))


@given(st.text(max_size=200))
def test_no_question_is_a_fault_of_syntax(question: str) -> None:
    expression = match_expression(question)
    database = sqlite3.connect(":memory:")
    try:
        database.execute("CREATE VIRTUAL TABLE t USING fts5(words, tokenize='porter unicode61')")
        database.execute("INSERT INTO t VALUES (?)", (join_words(question),))
        if expression:
            found = database.execute("SELECT rowid FROM t WHERE t MATCH ?", (expression,))
            assert len(found.fetchall()) <= 1
    finally:
        database.close()
