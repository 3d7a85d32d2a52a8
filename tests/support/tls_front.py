"""TLS in front of a port that speaks none: a redis-server may be built without it."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.certificates import Certificates


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def _serve(
    target: int, port: int, files: Certificates, started: threading.Event, ended: asyncio.Event
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            answers, commands = await asyncio.open_connection("127.0.0.1", target)
        except OSError:
            writer.close()
            return
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_relay(reader, commands))
            tasks.create_task(_relay(answers, writer))

    server = await asyncio.start_server(connected, "127.0.0.1", port, ssl=context)
    started.set()
    await ended.wait()
    server.close()


@contextmanager
def tls_front(target: int, port: int, files: Certificates) -> Iterator[None]:
    """Serves TLS at `port`, with what `target` speaks inside, in a thread of its own."""
    started = threading.Event()
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()

    def serve() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(_serve(target, port, files, started, ended))

    thread = threading.Thread(target=serve, name="tls-front", daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
