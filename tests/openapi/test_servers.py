import pytest

from gateway.openapi import first_server

HERE = "https://api.example/docs/openapi.json"


@pytest.mark.parametrize(
    ("servers", "location", "expected"),
    [
        pytest.param([{"url": "https://a.example/v1/"}], None, "https://a.example/v1", id="plain"),
        pytest.param([{"url": "/v1"}, {"url": "http://b"}], None, "http://b", id="file, relative"),
        pytest.param([{"url": "/v1"}], HERE, "https://api.example/v1", id="URL, absolute path"),
        pytest.param([{"url": "../v2"}], HERE, "https://api.example/v2", id="URL, relative path"),
        pytest.param([{"url": "/"}], HERE, "https://api.example", id="URL, root"),
        pytest.param([{"url": "//c/x"}], HERE, "https://c/x", id="URL, other host"),
        pytest.param([{"url": "//c/x"}], None, None, id="file, no scheme"),
        pytest.param(
            [
                {
                    "url": "https://{r}.x/{v}",
                    "variables": {"r": {"default": "eu"}, "v": {"default": "2"}},
                }
            ],
            None,
            "https://eu.x/2",
            id="variables",
        ),
        pytest.param(
            [{"url": "https://{r}.x", "variables": {"r": {}}}, {"url": "http://d"}],
            None,
            "http://d",
            id="variable without default",
        ),
        pytest.param([{"url": "https://{r}.x"}], None, None, id="variable unknown"),
        pytest.param(
            [{"url": "https://x/{r}", "variables": {"r": {"default": "{r}"}}}],
            None,
            "https://x/{r}",
            id="a default is not filled again",
        ),
        pytest.param([{"url": "javascript:alert(1)"}], None, None, id="other scheme"),
        pytest.param([{"url": "ftp://x"}, {"url": "http://e"}], None, "http://e", id="next usable"),
        pytest.param([{"url": "https://user:pw@x"}], None, None, id="user information"),
        pytest.param([{"url": "https://x/?a=1"}], None, None, id="query"),
        pytest.param([{"url": "https://x/#a"}], None, None, id="fragment"),
        pytest.param([{"url": "https://x:99999"}], None, None, id="port out of range"),
        pytest.param([{"url": "http://["}], None, None, id="no URL"),
        pytest.param([{"url": "https://"}], None, None, id="no host"),
        pytest.param([{"url": 5}, {}], None, None, id="no text"),
        pytest.param([], None, None, id="none"),
    ],
)
def test_the_first_usable_server_counts(
    servers: list[dict[str, object]], location: str | None, expected: str | None
) -> None:
    assert first_server(servers, location=location) == expected
