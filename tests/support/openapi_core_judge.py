"""openapi-core's verdict on a message whose operation is known already.

Its own look-up compares a path with every template of the description; here it is told the answer.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from urllib.parse import parse_qsl, unquote

from jsonschema_path import SchemaPath
from openapi_core.templating.datatypes import TemplateResult
from openapi_core.templating.paths.datatypes import PathOperationServer
from openapi_core.testing import MockRequest, MockResponse
from openapi_core.validation.request import V30RequestValidator, V31RequestValidator
from openapi_core.validation.response import V30ResponseValidator, V31ResponseValidator
from werkzeug.datastructures import ImmutableMultiDict

from gateway.catalog import Tool
from gateway.messages import Headers, RequestHead, header
from gateway.traffic.texts import path_texts, split_template


class _Told:
    """A path finder that looks up what the request says."""

    spec: SchemaPath

    def _get_security(self, *_: object) -> dict[str, str]:
        """Who may send a request is not what is compared."""
        return {}

    def _find_path(self, request: MockRequest) -> PathOperationServer:
        path = self.spec / "paths" / request.path_pattern
        return PathOperationServer(
            path=path,
            operation=path / request.method,
            server=None,
            path_result=TemplateResult(str(request.path_pattern), request.view_args),
            server_result=None,
        )


class _Request30(_Told, V30RequestValidator):  # type: ignore[misc]
    pass


class _Request31(_Told, V31RequestValidator):  # type: ignore[misc]
    pass


class _Response30(_Told, V30ResponseValidator):  # type: ignore[misc]
    pass


class _Response31(_Told, V31ResponseValidator):  # type: ignore[misc]
    pass


class OpenapiCore:
    """A description of OpenAPI 3.0 or 3.1."""

    def __init__(self, root: Mapping[str, object]) -> None:
        self._root = root
        self._old = str(root.get("openapi", "")).startswith("3.0")

    @cached_property
    def _spec(self) -> SchemaPath:
        return SchemaPath.from_dict(dict(self._root))

    @cached_property
    def _requests(self) -> V30RequestValidator | V31RequestValidator:
        return (_Request30 if self._old else _Request31)(self._spec)

    @cached_property
    def _responses(self) -> V30ResponseValidator | V31ResponseValidator:
        return (_Response30 if self._old else _Response31)(self._spec)

    def request_errors(self, tool: Tool, head: RequestHead, body: bytes | None) -> list[Exception]:
        """What is wrong with a request, but for who sends it."""
        return list(self._requests.iter_errors(seen_request(tool, head, body)))

    def response_errors(
        self, tool: Tool, status: int, headers: Headers, body: bytes
    ) -> list[Exception]:
        head = RequestHead(method=tool.method, target=tool.path)
        response = MockResponse(
            body, status, dict(headers), (header(headers, "content-type") or "").partition(";")[0]
        )
        return list(self._responses.iter_errors(seen_request(tool, head, None), response))


def seen_request(tool: Tool, head: RequestHead, body: bytes | None) -> MockRequest:
    path, _, query = head.target.partition("?")
    texts = path_texts(split_template(tool.path.partition("?")[0]), path)
    headers = {n: v for n, v in head.headers if n.lower() != "content-type"}
    given = header(head.headers, "content-type") or ""
    return MockRequest(
        "http://127.0.0.1:9000",
        head.method,
        unquote(path),
        path_pattern=tool.path,
        args=ImmutableMultiDict(parse_qsl(query, keep_blank_values=True)),
        view_args={name: unquote(text) for name, text in texts.items()},
        headers=headers,
        cookies=dict(_cookies(header(head.headers, "cookie") or "")),
        data=body,
        content_type=given,
    )


def _cookies(value: str) -> Iterator[tuple[str, str]]:
    for cookie in value.split("; ") if value else ():
        name, _, text = cookie.partition("=")
        yield name, unquote(text)
