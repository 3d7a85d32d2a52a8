"""`ocp-gateway call`: a plain HTTP client of a running gateway."""

import http.client
import json
from collections.abc import Mapping
from urllib.parse import quote, urlencode, urlsplit

import click
import orjson

from gateway.cli.curl import curl_command, notes, read_dry
from gateway.cli.failures import FAILED, CommandFailed, complain
from gateway.cli.terminal import one_line, pretty_json
from gateway.context import ID_RULE, is_header_id

_CONNECT_SECONDS = 10


@click.command()
@click.argument("tool")
@click.option("--args", "arguments", metavar="JSON", default="{}", help="Arguments object.")
@click.option(
    "--gateway",
    metavar="URL",
    default="http://127.0.0.1:8080",
    show_default=True,
    help="Where the gateway is.",
)
@click.option("--api", metavar="NAME", help="TOOL is this API's own name for it.")
@click.option("--context", "context_id", metavar="ID", help="The context to call in.")
@click.option("--dry-run", is_flag=True, help="Print the request instead, as curl.")
@click.option(
    "--confirm",
    metavar="DIGEST",
    help="Consent to the call: the digest that its refusal names.",
)
def call(  # noqa: PLR0913 - one for each option
    *,
    tool: str,
    arguments: str,
    gateway: str,
    api: str | None,
    context_id: str | None,
    dry_run: bool,
    confirm: str | None,
) -> int:
    """Call one tool through a running gateway and print its answer as JSON.

    With --dry-run nothing is sent to the API: the request is printed as a curl command, with `***`
    for values that are secret.

    Exit code 1: the call failed, or the gateway refused it.
    """
    if context_id is not None and not is_header_id(context_id):
        raise click.UsageError(f"--context: an id is {ID_RULE}")
    body = _object(arguments)
    given = {"api": api, "dry_run": "true" if dry_run else None, "confirm": confirm}
    asked = {name: value for name, value in given.items() if value}
    query = f"?{urlencode(asked)}" if asked else ""
    head = {"Content-Type": "application/json", "Accept": "application/json"}
    if context_id:
        head["OCP-Context-ID"] = context_id
    status, data = _post(gateway, f"/tools/{quote(tool, safe='')}{query}", head, body)
    return _show_request(status, data) if dry_run else _show(status, data)


def _object(text: str) -> bytes:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise click.UsageError(f"--args is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise click.UsageError("--args must be a JSON object")
    # Sent as written: reading and writing again would round long numbers.
    return text.encode()


def _post(gateway: str, target: str, head: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
    connection, base = _connection(gateway)
    try:
        connection.connect()
        # Only connecting is bounded: how long a call may take is the gateway's own setting.
        connection.sock.settimeout(None)
        connection.request("POST", base + target, body=body, headers=dict(head))
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise CommandFailed(f"{gateway}: {reason or type(error).__name__}") from None
    finally:
        connection.close()


def _connection(gateway: str) -> tuple[http.client.HTTPConnection, str]:
    # Refused by one character each, however the rest reads: the URL is shown in failures, and a
    # password may hold what ends the host for a parser.
    if "@" in gateway:
        raise click.UsageError("--gateway must not carry a user name or password")
    if "?" in gateway or "#" in gateway:
        raise click.UsageError("--gateway must not have a query or a fragment")
    try:
        parts = urlsplit(gateway)
        host, port = parts.hostname, parts.port
        # As connecting and sending would do, where the fault is no OSError.
        (host or "").encode("idna")
        parts.path.encode("ascii")
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in {"http", "https"} or not host:
        raise click.UsageError("--gateway must be an http:// or https:// URL")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(host, port, timeout=_CONNECT_SECONDS), parts.path.rstrip("/")


def _show(status: int, data: bytes) -> int:
    answer = _parsed(status, data)
    if status == 200 and isinstance(answer, dict) and "isError" in answer:
        click.echo(pretty_json(answer))
        return FAILED if answer["isError"] else 0
    return _refusal(status, answer)


def _show_request(status: int, data: bytes) -> int:
    answer = _parsed(status, data)
    if status != 200:
        return _refusal(status, answer)
    dry = read_dry(answer)
    click.echo(curl_command(dry))
    for note in notes(dry):
        click.echo(one_line(note), err=True)
    return 0


def _parsed(status: int, data: bytes) -> object:
    try:
        answer: object = json.loads(data)
    except (ValueError, RecursionError):
        raise CommandFailed(f"the gateway answered {status} without JSON") from None
    return answer


def _refusal(status: int, answer: object) -> int:
    problem = answer if isinstance(answer, dict) else {}
    code = f" {problem['code']}:" if "code" in problem else ""
    detail = problem.get("detail") or problem.get("title") or "refused"
    digest = problem.get("digest")
    hint = f" (here: --confirm {digest})" if isinstance(digest, str) else ""
    complain(f"{status}{code} {detail}{hint}")
    return FAILED
