"""FastMCP in front of an API: `python fastmcp_server.py DESCRIPTION.json BASE_URL`.

Runs in an environment of its own, without the gateway. Says `listening on URL` on stderr.
"""

import json
import socket
import sys
from pathlib import Path

import httpx  # type: ignore[import-not-found]
import uvicorn
from fastmcp import FastMCP  # type: ignore[import-not-found]


class Announcing(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        for door in sockets or ():
            url = f"http://127.0.0.1:{door.getsockname()[1]}"
            print(f"listening on {url}", file=sys.stderr, flush=True)


def main(description: str, base_url: str) -> None:
    document = json.loads(Path(description).read_bytes())
    api = FastMCP.from_openapi(document, client=httpx.AsyncClient(base_url=base_url))
    app = api.http_app(stateless_http=True, json_response=True)
    with socket.create_server(("127.0.0.1", 0)) as door:
        Announcing(uvicorn.Config(app, log_level="warning")).run(sockets=[door])


if __name__ == "__main__":
    main(*sys.argv[1:])
