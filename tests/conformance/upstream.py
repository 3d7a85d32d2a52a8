"""The API that openapi.yaml describes."""

import io
import re
import wave
from pathlib import Path

from aiohttp import web

from tests.conformance.conversations import CONVERSATIONS, PIXEL
from tests.conformance.envelope import answer_with

_DESCRIPTION = web.AppKey("description", Path)
_GENERATION = re.compile(r"Generation (\d+) of")
_TEXTS = {
    "/text": "This is a simple text response for testing.",
    "/resources/static-text": "This is the content of the static text resource.",
    "/resources/watched": "Watched content.",
    "/resources/example": "Embedded resource content for testing.",
}


def make_app(description: Path) -> web.Application:
    """The API; `description` is the file that it writes anew when it is told to."""
    app = web.Application()
    app[_DESCRIPTION] = description
    app.add_routes([web.get(path, _text) for path in _TEXTS])
    app.add_routes(
        [web.post(path, answer_with(conversation)) for path, conversation in CONVERSATIONS.items()]
    )
    app.add_routes(
        [
            web.get("/image", _image),
            web.get("/resources/static-binary", _image),
            web.get("/audio", _audio),
            web.get("/error", _error),
            web.get("/regional", _regional),
            web.post("/contacts", _add_contact),
            web.get("/templates/{id}", _template),
            web.get("/generation", _generation),
            web.post("/generation", _write_anew),
        ]
    )
    return app


async def _text(request: web.Request) -> web.Response:
    return web.Response(text=_TEXTS[request.path])


async def _image(_: web.Request) -> web.Response:
    return web.Response(body=PIXEL, content_type="image/png")


async def _audio(_: web.Request) -> web.Response:
    silence = io.BytesIO()
    with wave.open(silence, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8_000)
        sound.writeframes(bytes(16))
    return web.Response(body=silence.getvalue(), content_type="audio/wav")


async def _error(_: web.Request) -> web.Response:
    raise web.HTTPInternalServerError(text="This tool intentionally returns an error for testing.")


async def _regional(request: web.Request) -> web.Response:
    return web.Response(text=f"Called for {request.query.get('region', 'no region')}.")


async def _add_contact(request: web.Request) -> web.Response:
    return web.json_response(await request.json())


async def _template(request: web.Request) -> web.Response:
    return web.json_response({"id": request.match_info["id"], "templateTest": True})


async def _generation(request: web.Request) -> web.Response:
    found = _GENERATION.search(request.app[_DESCRIPTION].read_text())
    return web.Response(text=found[1] if found else "none")


async def _write_anew(request: web.Request) -> web.Response:
    """A number that only grows, so that no two calls make the description what it was before."""
    description = request.app[_DESCRIPTION]
    text = _GENERATION.sub(
        lambda found: f"Generation {int(found[1]) + 1} of", description.read_text()
    )
    written = description.with_suffix(".new")
    written.write_text(text)
    written.replace(description)
    return web.Response(text="The description was written anew.")
