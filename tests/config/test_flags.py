"""`--spec` and `--base-url`, and the names that titles give."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import Config, Overrides, api_name_from_title, load_config, name_apis
from gateway.errors import ConfigError

CWD = Path("/srv")


def load(*specs: str, base_urls: tuple[str, ...] = ()) -> Config:
    overrides = Overrides(specs=specs, base_urls=base_urls)
    return load_config(None, overrides=overrides, environ={}, cwd=CWD)


@pytest.mark.parametrize(
    ("text", "name", "spec"),
    [
        pytest.param("pets=a/b.json", "pets", "/srv/a/b.json", id="named-path"),
        pytest.param("pets=/a.json", "pets", "/a.json", id="absolute-path"),
        pytest.param("pets=https://h/x?a=b", "pets", "https://h/x?a=b", id="named-url"),
        pytest.param("a/b.json", None, "/srv/a/b.json", id="path"),
        pytest.param("./a=b.json", None, "/srv/a=b.json", id="path-with-equals"),
        pytest.param("https://h/x?a=b", None, "https://h/x?a=b", id="url-with-query"),
    ],
)
def test_a_spec_may_have_a_name(text: str, name: str | None, spec: str) -> None:
    (api,) = load(text).apis
    assert (api.name, api.spec) == (name, spec)


@pytest.mark.parametrize(
    ("specs", "base_urls", "fault"),
    [
        pytest.param(("Pets=x",), (), "--spec: the name 'Pets' must match", id="bad-name"),
        pytest.param(("=x",), (), "--spec: the name '' must match", id="empty-name"),
        pytest.param(("a=x", "a=y"), (), "--spec: a is given twice", id="twice"),
        pytest.param(("a=",), (), "must not be empty", id="empty-path"),
        pytest.param(("",), (), "--spec: must not be empty", id="empty"),
        pytest.param(("ftp://h/x",), (), "--spec: must be a path or", id="scheme"),
        pytest.param(("a=x",), ("http://h",), "--base-url: must be NAME=URL", id="no-name"),
        pytest.param(("abc=x",), ("abd=http://h",), "(did you mean abc?)", id="unknown-name"),
        pytest.param(("a=x",), ("a=h",), "--base-url a: apis[0].base_url: must be", id="relative"),
        pytest.param(("x",), ("a=h",), "--base-url a: must be an absolute", id="waiting-relative"),
        pytest.param((), (), "configuration: no API", id="nothing"),
    ],
)
def test_a_fault_names_the_flag(
    specs: tuple[str, ...], base_urls: tuple[str, ...], fault: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(*specs, base_urls=base_urls)
    (line,) = caught.value.faults
    assert fault in line


def test_a_flag_replaces_the_file_s_spec_and_keeps_the_rest(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("apis: [{name: a, spec: x, retries: 3}]")
    overrides = Overrides(specs=("a=y",), base_urls=("a=http://h",))
    (api,) = load_config(tmp_path / "c.yaml", overrides=overrides, environ={}, cwd=CWD).apis
    assert (api.spec, api.base_url, api.retries) == ("/srv/y", "http://h", 3)


def test_titles_name_the_others_and_base_urls_find_them() -> None:
    config = load("a=x", "y", "z", base_urls=("my-api=http://h", "a=http://i"))
    named = name_apis(config, {"/srv/y": "My API", "/srv/z": "Ünïcode  Ltd."})
    assert [(api.name, api.base_url) for api in named.apis] == [
        ("a", "http://i"),
        ("my-api", "http://h"),
        ("unicode-ltd", None),
    ]
    assert named.pending_base_urls == {}


@pytest.mark.parametrize(
    ("base_urls", "titles", "fault"),
    [
        pytest.param((), {"/srv/y": "A"}, "2 APIs would be named 'a'", id="clash"),
        pytest.param(("b=http://h",), {"/srv/y": "C"}, "no API is named 'b'", id="base-url"),
    ],
)
def test_names_that_do_not_fit_together_are_refused(
    base_urls: tuple[str, ...], titles: dict[str, str], fault: str
) -> None:
    with pytest.raises(ConfigError, match=fault):
        name_apis(load("a=x", "y", base_urls=base_urls), titles)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        pytest.param("GitHub v3 REST API", "github-v3-rest-api", id="words"),
        pytest.param("Café -- Zürich!", "cafe-zurich", id="accents"),
        pytest.param("3scale", "api-3scale", id="digit-first"),
        pytest.param("日本語", "api", id="nothing-left"),
        pytest.param("", "api", id="empty"),
        pytest.param("a" * 31 + " b", "a" * 31, id="cut-at-a-hyphen"),
    ],
)
def test_a_title_becomes_a_name(title: str, name: str) -> None:
    assert api_name_from_title(title) == name


@given(st.text())
def test_any_title_becomes_a_valid_name(title: str) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9-]{0,31}", api_name_from_title(title))
