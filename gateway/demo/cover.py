"""A book's cover as a PNG image, drawn without an imaging library."""

import struct
import zlib

WIDTH, HEIGHT = 64, 96


def draw_cover(title: str) -> bytes:
    """A frame and a band on a colour that follows from the title."""
    seed = zlib.crc32(title.encode())
    paper = (64 + seed % 128, 64 + (seed >> 8) % 128, 64 + (seed >> 16) % 128)
    rows = b"".join(b"\x00" + b"".join(_row(paper, y)) for y in range(HEIGHT))
    # PNG, second edition, 11.2.2: 8 bits a sample, colour type 2 (RGB), no interlace.
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    chunks = (_chunk(b"IHDR", head), _chunk(b"IDAT", zlib.compress(rows)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _row(paper: tuple[int, int, int], y: int) -> list[bytes]:
    ink = bytes(255 - part // 2 for part in paper)
    plain = bytes(paper)
    if y < 3 or y >= HEIGHT - 3 or 24 <= y < 36:
        return [ink] * WIDTH
    return [ink if x < 3 or x >= WIDTH - 3 else plain for x in range(WIDTH)]


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check
