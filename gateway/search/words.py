"""A text as the words that an index knows, and a question as an expression for it."""

import re
from collections.abc import Iterator
from itertools import pairwise

MAX_WORDS = 32
"""Of a question; further ones say nothing more."""
PREFIX_FROM = 4
"""Characters from which on a word may be the beginning of another; the last one always may."""

_RUN = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# Scripts without spaces between words. SQLite's tokenizer would take a whole sentence for a word.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


def split_words(text: str) -> Iterator[str]:
    """The words of a text, lower-case: names in camelCase are several.

    In a script without spaces every character is one, with spaces around it.
    """
    for run in _RUN.findall(text):
        for word in _CAMEL.split(run) if not run.islower() else (run,):
            yield " ".join(_UNSPACED.sub(r" \g<0> ", word).split()).lower()


# Words of questions, which descriptions are full of, too.
STOP_WORDS = frozenset(
    split_words(
        "a about all am an and any are as at be by can could do does every find for from get give "
        "how i if in is it me my need of on or our please show so that the their them there these "
        "this to tool tools use using want we what when where which will with would you your"
    )
)


def join_words(*texts: str) -> str:
    """What an index is given: each word once, so that no text counts for its repetitions."""
    return " ".join(dict.fromkeys(word for text in texts for word in split_words(text)))


def match_expression(question: str) -> str:
    """FTS5's expression for what the question asks about; empty where that is nothing.

    Any of its words will do, whole ones count twice when the beginnings of words count too (`repo`
    finds `repository`), and so do two that stand side by side. Words that only make a sentence
    count in such pairs alone.
    """
    words = list(dict.fromkeys(split_words(question)))[:MAX_WORDS]
    telling = [word for word in words if word not in STOP_WORDS]
    if not telling:
        return ""
    # What is inside quotes is never syntax to FTS5, and no word has a quote in it.
    terms = [f'"{word}"' for word in telling]
    terms += [f'"{word}" *' for word in telling if len(word) >= PREFIX_FROM or word == telling[-1]]
    terms += [f'"{one} {two}"' for one, two in pairwise(words)]
    return " OR ".join(terms)
