"""What a good description came to, kept on disk for a start that does not do it all again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import TypedDict

import orjson

from gateway.openapi import Code, Document, Finding, Severity
from gateway.sources.pieces import Cutter, Layout, assemble
from gateway.sources.private_files import check_private, file_key, make_private, replace_file
from gateway.sources.source import Seen
from gateway.sources.texts import Opened, Place

# The hex digits of SHA-256 and the end of their line.
_SEAL = 65


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A description as `seen`, opened; `summary` is a JSON object of whoever makes use of it."""

    seen: Seen
    opened: Opened
    summary: Mapping[str, object]


class _SeenHead(TypedDict):
    digest: str
    are_one: bool
    conditions: Sequence[Sequence[tuple[str, str]]]
    files: Mapping[str, Sequence[int]]


class _Head(TypedDict):
    """The pieces of `document` follow it, then those of `parts`; of `overlaid`, four texts each."""

    program: str
    seen: _SeenHead
    document: Layout
    parts: Layout
    refused: Mapping[str, str]
    overlaid: Sequence[Sequence[tuple[str, str, str, str]]]
    summary: Mapping[str, object]


class PreparedFile:
    """One description's file: a line with the SHA-256 of the rest, a line of JSON, then pieces.

    The digest is there for bits that flip and files that are cut off; whoever may write to the
    directory could hand us anything. What was sent to fetch the description is not in it.
    """

    def __init__(
        self, directory: Path, *, names: tuple[str, ...], place: Place, program: str
    ) -> None:
        """`names` tell the files of a directory apart. Those of another `program` do not count."""
        self._directory = directory
        self._place = place
        self._program = program
        self._path = directory / f"{file_key(*names)}.prepared"

    def find(self) -> Prepared | None:
        """What was kept; None where there is nothing that can be trusted to be whole and ours."""
        try:
            check_private(self._directory)
            head, pieces = _opened(self._path.read_bytes())
            return self._prepared(head, pieces) if head["program"] == self._program else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, prepared: Prepared) -> None:
        """Replaces what was kept. It takes its time, and lets other threads have theirs.

        Raises OSError, and ValueError for a description that JSON cannot hold.
        """
        make_private(self._directory)
        cutter = Cutter()
        document = prepared.opened.document
        head = _Head(
            program=self._program,
            seen=_written(prepared.seen),
            document=cutter.cut_document(document.root),
            parts=cutter.cut_members(document.parts),
            refused={path: str(reason) for path, reason in document.refused.items()},
            overlaid=[
                [(f.pointer, f.severity, f.code, f.message) for f in findings]
                for findings in prepared.opened.overlaid
            ],
            summary=prepared.summary,
        )
        self._write(head, b"".join(cutter.pieces))

    def see(self, seen: Seen) -> None:
        """Keeps what the source looks like now that it gave the same texts again.

        Raises OSError, and ValueError where the file is not as it was found.
        """
        head, pieces = _opened(self._path.read_bytes())
        head["seen"] = _written(seen)
        self._write(head, pieces.read())

    def _write(self, head: _Head, pieces: bytes) -> None:
        try:
            line = orjson.dumps(head) + b"\n"
        except TypeError as error:  # half a surrogate pair, in a name
            raise ValueError("no JSON value") from error
        digest = sha256(line)
        digest.update(pieces)
        replace_file(self._path, (digest.hexdigest().encode(), b"\n", line, pieces))

    def _prepared(self, head: _Head, pieces: BytesIO) -> Prepared:
        document = Document(
            assemble(head["document"], pieces),
            parts=assemble(head["parts"], pieces),
            refused=head["refused"],
            name=self._place.name,
            home=self._place.home,
        )
        overlaid = tuple(tuple(_finding(*found) for found in each) for each in head["overlaid"])
        return Prepared(
            seen=_seen(head["seen"]),
            opened=Opened(document=document, overlaid=overlaid),
            summary=head["summary"],
        )


def _opened(data: bytes) -> tuple[_Head, BytesIO]:
    """The head of a file and its pieces. Raises ValueError for one that is not whole."""
    digest, _, _ = data[:_SEAL].partition(b"\n")
    if sha256(memoryview(data)[_SEAL:]).hexdigest().encode() != digest:
        raise ValueError("not as it was written")
    pieces = BytesIO(data)
    pieces.seek(_SEAL)
    head: _Head = orjson.loads(pieces.readline())
    return head, pieces


def _written(seen: Seen) -> _SeenHead:
    return _SeenHead(
        digest=seen.digest, are_one=seen.are_one, conditions=seen.conditions, files=seen.files
    )


def _seen(head: _SeenHead) -> Seen:
    return Seen(
        digest=head["digest"],
        are_one=head["are_one"],
        conditions=tuple(tuple((n, v) for n, v in each) for each in head["conditions"]),
        files={path: tuple(identity) for path, identity in head["files"].items()},
    )


def _finding(pointer: str, severity: str, code: str, message: str) -> Finding:
    return Finding(pointer=pointer, severity=Severity(severity), code=Code(code), message=message)
