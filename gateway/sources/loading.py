"""Descriptions from files and URLs: bytes in, JSON values out."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import aiohttp
import orjson
from yarl import URL

from gateway.errors import DescriptionError
from gateway.messages import Headers, has_dot_segment
from gateway.sources.yaml_text import parse_yaml

MAX_BYTES = 64 * 1024 * 1024
MAX_FLOW_BYTES = 262_144
FETCH_SECONDS = 30.0
MAX_REDIRECTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A body, and the request headers that ask for the next one only if it is another."""

    data: bytes
    conditions: Headers


def is_url(location: str) -> bool:
    return location.lower().startswith(("http://", "https://"))


def shown(location: str) -> str:
    """`location` as a message may show it: a URL without user information and query."""
    if not is_url(location):
        return location
    try:
        return str(URL(location).with_user(None).with_query(None))
    except ValueError:
        return "the URL"


async def read_bytes(path: Path) -> bytes:
    """A file's text. Raises DescriptionError."""
    try:
        return await asyncio.to_thread(read_file, path)
    except OSError as error:
        raise DescriptionError(error.strerror or str(error)) from error
    except ValueError as error:
        raise DescriptionError("not a path") from error


def read_file(path: Path) -> bytes:
    """What is in a file of bounded size. Raises DescriptionError, OSError, ValueError."""
    # To open a pipe may take for ever, and nothing could end the thread that does.
    if path.exists() and not path.is_file() and not path.is_dir():
        raise DescriptionError("is no file")
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise DescriptionError(f"is larger than {MAX_BYTES // 1024 // 1024} MiB")
    return data


async def fetch(
    location: str, *, headers: Headers = (), conditions: Headers = ()
) -> Fetched | None:
    """What is at an http(s) URL; None when `conditions` say that it is what it was.

    `headers` go to this origin only. Raises DescriptionError.
    """
    async with aiohttp.ClientSession() as session:
        return await fetch_with(session, location, headers=(*headers, *conditions))


async def fetch_with(
    session: aiohttp.ClientSession, location: str, *, headers: Headers = (), within: str = ""
) -> Fetched | None:
    """`fetch` as one of many, redirects included never outside of the URL `within`."""
    try:
        async with asyncio.timeout(FETCH_SECONDS):
            return await _follow(session, URL(location, encoded=bool(within)), headers, within)
    except TimeoutError as error:
        raise DescriptionError(f"no complete answer in {FETCH_SECONDS:g} s") from error
    except aiohttp.ClientConnectorError as error:
        raise DescriptionError("cannot be reached") from error
    except (aiohttp.ClientError, ValueError) as error:
        raise DescriptionError("no valid HTTP answer") from error


async def _follow(
    session: aiohttp.ClientSession, url: URL, headers: Headers, within: str
) -> Fetched | None:
    """GET, following few redirects and only within the origin that the operator wrote."""
    origin = url.origin()
    for _ in range(MAX_REDIRECTS + 1):
        async with session.get(url, headers=headers, allow_redirects=False) as response:
            if response.status == 200:
                return Fetched(data=await _limited(response), conditions=_conditions(response))
            if response.status == 304:
                return None
            target = response.headers.get("Location")
            if response.status not in (301, 302, 303, 307, 308) or target is None:
                raise DescriptionError(f"HTTP {response.status}")
        url = url.join(URL(target))
        if url.scheme not in ("http", "https") or url.origin() != origin:
            raise DescriptionError("redirects to another origin are not followed")
        if within and (not str(url).startswith(within) or has_dot_segment(url.raw_path)):
            raise DescriptionError("redirects out of the description's directory are not followed")
    raise DescriptionError(f"more than {MAX_REDIRECTS} redirects")


def _conditions(response: aiohttp.ClientResponse) -> Headers:
    etag = response.headers.get("ETag", "")
    if etag and etag.isascii() and etag.isprintable():
        return (("If-None-Match", etag),)
    modified = response.headers.get("Last-Modified", "")
    try:
        age = parsedate_to_datetime(response.headers.get("Date", "")) - parsedate_to_datetime(
            modified
        )
    except (ValueError, TypeError):
        return ()
    # RFC 9110 8.8.2.2: a time in whole seconds misses a second change within the same one.
    return (("If-Modified-Since", modified),) if age >= timedelta(seconds=1) else ()


async def _limited(response: aiohttp.ClientResponse) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_chunked(1 << 18):
        size += len(chunk)
        if size > MAX_BYTES:
            raise DescriptionError(f"larger than {MAX_BYTES // 1024 // 1024} MiB")
        chunks.append(chunk)
    return b"".join(chunks)


def parse(data: bytes) -> object:
    """JSON or YAML, told apart by content. Raises DescriptionError with line and column."""
    text = data.removeprefix(b"\xef\xbb\xbf")
    if text.lstrip()[:1] in (b"{", b"["):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError as error:
            return _flow_yaml(text, error)
    return parse_yaml(text)


def _flow_yaml(text: bytes, fault: orjson.JSONDecodeError) -> object:
    """YAML's flow style also starts with a brace, but nobody writes much of it."""
    if len(text) <= MAX_FLOW_BYTES:
        with suppress(DescriptionError):
            return parse_yaml(text)
    where = f"at line {fault.lineno}, column {fault.colno}"
    raise DescriptionError(f"not valid JSON: {fault.msg} {where}") from fault
