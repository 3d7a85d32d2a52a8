"""`python -m gateway.demo`: the demo API alone, where `specs/demo.yaml` says it is."""

from aiohttp import web

from gateway.demo.api import make_app

if __name__ == "__main__":
    web.run_app(make_app(), host="127.0.0.1", port=9000)
