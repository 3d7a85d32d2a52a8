"""What other programs take for the same description: `python loading_peers.py PEER PATH.json`.

Runs in an environment of its own, without the gateway. Prints the CPU-seconds of the work, imports
and reading the file not counted.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

Work = Callable[[], object]


def fastmcp(path: Path) -> Work:
    import httpx  # type: ignore[import-not-found]  # noqa: PLC0415 - only for the peer that runs
    from fastmcp import Client, FastMCP  # type: ignore[import-not-found]  # noqa: PLC0415

    text = path.read_bytes()

    async def build_and_list() -> object:
        http = httpx.AsyncClient(base_url="http://127.0.0.1:1")
        server = FastMCP.from_openapi(json.loads(text), client=http)
        async with Client(server) as client:
            return await client.list_tools()

    return lambda: asyncio.run(build_and_list())


def openapi_spec_validator(path: Path) -> Work:
    from openapi_spec_validator import validate  # noqa: PLC0415

    text = path.read_bytes()
    return lambda: validate(json.loads(text))


def prance(path: Path) -> Work:
    from prance import BaseParser  # type: ignore[import-untyped]  # noqa: PLC0415

    return lambda: BaseParser(str(path))


PEERS: Mapping[str, Callable[[Path], Work]] = {
    "FastMCP from_openapi and list_tools": fastmcp,
    "openapi-spec-validator": openapi_spec_validator,
    "prance BaseParser": prance,
}


def main(peer: str, path: str) -> None:
    work = PEERS[peer](Path(path))
    start = time.process_time()
    work()
    print(time.process_time() - start)


if __name__ == "__main__":
    main(*sys.argv[1:])
