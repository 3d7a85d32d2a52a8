"""What is wrong with a message before any schema is asked."""


class Unreadable(Exception):
    """A text or body cannot be a value at all; the message says what it is not, never its text."""
