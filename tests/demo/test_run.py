"""`ocp-gateway demo`, as a newcomer meets it: what it prints works when it is pasted."""

import http.client
import json
import shlex
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.gateway_process import COMMAND, PATIENCE_SECONDS, wait_until

LAST_LINE = "Ctrl-C ends the demo."


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningDemo:
    process: subprocess.Popen[bytes]
    printed: str
    directory: Path

    def curl(self) -> list[str]:
        """The printed command's words."""
        start = self.printed.index("curl ")
        end = self.printed.index("\n\n", start)
        return shlex.split(self.printed[start:end].replace("\\\n", ""))

    def snippet(self) -> dict[str, dict[str, dict[str, str | dict[str, str]]]]:
        start, end = self.printed.index("{\n"), self.printed.index("\n}\n")
        found = json.loads(self.printed[start : end + 2])
        assert isinstance(found, dict)
        return found


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[RunningDemo]:
    output = tmp_path / "output"
    with output.open("wb") as stdout, (tmp_path / "errors").open("wb") as stderr:
        process = subprocess.Popen([COMMAND, "demo"], cwd=tmp_path, stdout=stdout, stderr=stderr)
    try:
        wait_until(lambda: LAST_LINE in output.read_text(), "the demo to introduce itself")
        yield RunningDemo(process=process, printed=output.read_text(), directory=tmp_path)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(PATIENCE_SECONDS)


def send(words: list[str]) -> dict[str, object]:
    """Does what curl would do with these words."""
    url = urlsplit(words[1])
    options = list(zip(words[2::2], words[3::2], strict=True))
    headers = dict(value.split(": ", 1) for flag, value in options if flag == "-H")
    (body,) = (value for flag, value in options if flag == "-d")
    connection = http.client.HTTPConnection(url.netloc, timeout=PATIENCE_SECONDS)
    connection.request("POST", url.path, body=body, headers=headers)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    assert response.status == 200
    assert isinstance(answer, dict)
    return answer


def test_the_printed_curl_finds_books_in_the_printed_context(demo: RunningDemo) -> None:
    answer = send(demo.curl())
    assert answer["structuredContent"] == {
        "books": [
            {
                "id": number,
                "title": title,
                "author": "Ursula K. Le Guin",
                "year": year,
                "tags": ["novel", tag],
                "available": True,
            }
            for number, title, year, tag in (
                (1, "The Dispossessed", 1974, "utopia"),
                (2, "A Wizard of Earthsea", 1968, "fantasy"),
            )
        ],
        "total": 2,
    }
    server = demo.snippet()["mcpServers"]["library"]
    assert server["headers"] == {"OCP-Context-ID": answer["context_id"]}
    assert server["url"] == demo.curl()[1].replace("/tools/listBooks", "/mcp")
    assert answer["recorded"] is True
    assert (demo.directory / ".ocp-gateway" / "contexts.db").exists()


def test_it_fits_eighty_columns_but_for_the_store_s_path(demo: RunningDemo) -> None:
    lines = [line for line in demo.printed.splitlines() if not line.startswith("contexts ")]
    assert max(map(len, lines)) <= 80


def test_ctrl_c_ends_it_without_a_word(demo: RunningDemo) -> None:
    send(demo.curl())
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(PATIENCE_SECONDS) == 0
    assert (demo.directory / "errors").read_text() == ""
