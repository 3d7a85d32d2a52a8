"""`ocp-gateway demo`."""

import asyncio
import json
import secrets
from pathlib import Path

import click

from gateway.cli.logs import start_logging
from gateway.cli.serve import fast_loop
from gateway.context import mint_id
from gateway.demo.run import Demo, run_demo

_BANNER = """\
demo API   {api_url}/books
gateway    {gateway_url}
contexts   {store}

Call a tool:

  curl {gateway_url}/tools/listBooks \\
    -H 'Content-Type: application/json' \\
    -H 'OCP-Context-ID: {context_id}' \\
    -d '{{"author": "le guin"}}'

Give it to an MCP client; its calls and the curl's share one context:

{snippet}

Ctrl-C ends the demo.
"""


@click.command()
def demo() -> None:
    """Start a small demo API and the gateway in front of it, both on loopback."""
    start_logging(form="text", level="warning")
    context_id = mint_id(secrets.token_bytes(16))
    with asyncio.Runner(loop_factory=fast_loop) as runner:
        runner.run(
            run_demo(
                Path.cwd(),
                announce=lambda running: click.echo(describe_demo(running, context_id), nl=False),
            )
        )


def describe_demo(running: Demo, context_id: str) -> str:
    """URLs, a `curl` to paste and an MCP client's configuration, for a terminal of 80 columns."""
    server = {
        "type": "http",
        "url": f"{running.gateway_url}/mcp",
        "headers": {"OCP-Context-ID": context_id},
    }
    return _BANNER.format(
        api_url=running.api_url,
        gateway_url=running.gateway_url,
        store=running.store,
        context_id=context_id,
        snippet=json.dumps({"mcpServers": {"library": server}}, indent=2),
    )
