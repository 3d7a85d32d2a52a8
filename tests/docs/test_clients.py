"""The table of MCP clients is the one that `make interop` goes through."""

from tests.interop.matrix import CLIENTS, Client
from tests.support.pages import Row, checked_rows

WAYS = {"http": "HTTP", "sse": "HTTP+SSE", "stdio": "stdio", "bridge": "HTTP"}


def row_of(client: Client) -> Row:
    """To be written into docs/mcp.md when a lock brings another version."""
    return (
        f"`{client.package}` {client.version}",
        "Node.js" if client.environment == "node" else "Python",
        ", ".join(WAYS[way] for way in client.ways),
        client.revision,
        "yes" if client.can_be_asked else "",
    )


def test_the_clients_are_those_that_are_tried() -> None:
    assert checked_rows("mcp.md", "clients") == [row_of(client) for client in CLIENTS]
