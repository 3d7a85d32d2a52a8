"""The demo library: books and loans, in memory."""

from dataclasses import dataclass, field, replace

_SEED = (
    ("The Dispossessed", "Ursula K. Le Guin", 1974, ("novel", "utopia")),
    ("A Wizard of Earthsea", "Ursula K. Le Guin", 1968, ("novel", "fantasy")),
    ("Kindred", "Octavia E. Butler", 1979, ("novel",)),
    ("Flatland", "Edwin A. Abbott", 1884, ("novel", "mathematics")),
    ("Proofs and Refutations", "Imre Lakatos", 1976, ("mathematics",)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    id: int
    title: str
    author: str
    year: int | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    book_id: int
    reader: str
    days: int
    note: str | None = None


class Conflict(Exception):
    """The book's present state forbids what was asked."""


@dataclass(slots=True)
class Library:
    """Every method raises KeyError for a book that is not there."""

    books: dict[int, Book] = field(default_factory=dict)
    loans: dict[int, Loan] = field(default_factory=dict)
    _last_id: int = 0

    def add(self, *, title: str, author: str, year: int | None, tags: tuple[str, ...]) -> Book:
        self._last_id += 1
        book = Book(id=self._last_id, title=title, author=author, year=year, tags=tags)
        self.books[book.id] = book
        return book

    def change(self, book_id: int, changes: dict[str, object]) -> Book:
        """Replaces the members in `changes`, which are checked already."""
        book = replace(self.books[book_id], **changes)  # type: ignore[arg-type]
        self.books[book_id] = book
        return book

    def remove(self, book_id: int) -> None:
        if book_id in self.loans:
            raise Conflict("the book is lent")
        del self.books[book_id]

    def lend(self, loan: Loan, *, dry_run: bool) -> None:
        present = self.loans.get(self.books[loan.book_id].id)
        if present is not None and present.reader != loan.reader:
            raise Conflict("another reader has the book")
        if not dry_run:
            self.loans[loan.book_id] = loan

    def take_back(self, book_id: int, reader: str) -> None:
        present = self.loans.get(self.books[book_id].id)
        if present is None or present.reader != reader:
            raise Conflict("this reader does not have the book")
        del self.loans[book_id]


def stocked_library() -> Library:
    library = Library()
    for title, author, year, tags in _SEED:
        library.add(title=title, author=author, year=year, tags=tags)
    return library
