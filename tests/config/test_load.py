"""Configuration in, one Config or every fault out."""

from pathlib import Path

import pytest

from gateway.catalog import Rule, Selection, ToolOverride
from gateway.config import Config, McpConfig, Overrides, load_config
from gateway.errors import ConfigError
from gateway.upstreams import ContextUpdates, OcpHeaders, ProxyReach

API = "apis: [{name: pets, spec: pets.yaml}]\n"
LATER = "not available yet in this version"
EXAMPLES = Path(__file__).parents[2] / "config"
EXAMPLE_SECRETS = {
    "OCP_STORE_URL": "rediss://gateway:pa55word@redis.internal:6379/0",
    "OCP_STATE_KEY": "k" * 32 + "\n" + "l" * 40,
}


class Workplace:
    """A directory with a configuration file, loaded as a command would."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def load(
        self,
        text: str | bytes | None = None,
        *,
        environ: dict[str, str] | None = None,
        overrides: Overrides | None = None,
    ) -> Config:
        path = None
        if text is not None:
            path = Path("gateway.yaml")
            data = text.encode() if isinstance(text, str) else text
            (self.directory / path).write_bytes(data)
        return load_config(
            path, overrides=overrides or Overrides(), environ=environ or {}, cwd=self.directory
        )

    def faults(
        self,
        text: str | bytes | None = None,
        *,
        environ: dict[str, str] | None = None,
        overrides: Overrides | None = None,
    ) -> tuple[str, ...]:
        with pytest.raises(ConfigError) as caught:
            self.load(text, environ=environ, overrides=overrides)
        return caught.value.faults


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


def test_one_api_is_enough(workplace: Workplace) -> None:
    config = workplace.load(API)
    (api,) = config.apis
    assert (api.name, api.spec) == ("pets", str(workplace.directory / "pets.yaml"))
    assert (config.server.host, config.server.port) == ("127.0.0.1", 8080)
    assert config.store.sqlite_path == workplace.directory / ".ocp-gateway" / "contexts.db"
    assert config.mcp.state_keys() == ()


def test_every_supported_key_arrives(workplace: Workplace) -> None:
    config = workplace.load(
        """
        server: {host: "::1", port: 0, public_url: "http://localhost:80/", workers: 1,
                 allowed_hosts: ["localhost:80"], drain_seconds: 1.5, ready_when: all,
                 max_body_bytes: 5}
        store: {url: memory://, context_ttl_seconds: 1, new_context_ttl_seconds: 2,
                max_contexts_per_principal: 3, max_history: 4}
        apis:
          - {name: pets, spec: "https://pets.example/openapi.json?v=1", proxy: off,
             base_url: "https://pets.example/v1/", headers: {X-Env: prod}, ocp_headers: ids,
             context_updates: all,
             forward_headers: [X-Request-Id], timeout_seconds: 0.5, retries: 0,
             max_response_bytes: 6, max_body_bytes: 7, reload_seconds: 5,
             spec_headers: {Authorization: "env:TOKEN", X-Plain: in place}}
          - {name: second, spec: x.json}
        mcp: {state_key: "env:KEYS"}
        """,
        environ={"KEYS": f"{'a' * 32}\n\n{'b' * 32}\n", "TOKEN": "hunter2"},
    )
    server, store = config.server, config.store
    assert (server.host, server.port, server.public_url) == ("::1", 0, "http://localhost:80")
    assert (server.allowed_hosts, server.drain_seconds) == (("localhost:80",), 1.5)
    assert (server.ready_when, server.max_body_bytes) == ("all", 5)
    assert (store.url.reveal(), store.sqlite_path) == ("memory://", None)
    assert (store.context_ttl_seconds, store.new_context_ttl_seconds) == (1, 2)
    assert (store.max_contexts_per_principal, store.max_history) == (3, 4)
    pets, second = config.apis
    assert (pets.spec, pets.base_url) == (
        "https://pets.example/openapi.json?v=1",
        "https://pets.example/v1",
    )
    assert (pets.proxy, pets.ocp_headers) == (ProxyReach.OFF, OcpHeaders.IDS)
    assert pets.context_updates is ContextUpdates.ALL
    assert pets.headers == (("X-Env", "prod"),)
    assert pets.forward_headers == {"x-request-id"}
    assert (pets.timeout_seconds, pets.retries) == (0.5, 0)
    assert (pets.max_response_bytes, pets.max_body_bytes) == (6, 7)
    assert (second.ocp_headers, second.max_body_bytes) == (None, 5)
    assert second.context_updates is ContextUpdates.DECLARED
    assert (pets.reload_seconds, second.reload_seconds) == (5, 60)
    assert [(name, secret.reveal()) for name, secret in pets.spec_headers] == [
        ("Authorization", "hunter2"),
        ("X-Plain", "in place"),
    ]
    assert "hunter2" not in repr(config)
    assert "in place" not in repr(config)
    assert config.cache == workplace.directory / ".ocp-gateway" / "cache"
    assert config.mcp.state_keys() == (b"a" * 32, b"b" * 32)


@pytest.mark.parametrize(
    ("store", "cache"),
    [("sqlite:///data/c.db", "data/cache"), ("sqlite:////data/c.db", "/data/cache")]
    + [(url, ".ocp-gateway/cache") for url in ("memory://", "redis://h")],
)
def test_copies_are_kept_beside_the_database(workplace: Workplace, store: str, cache: str) -> None:
    config = workplace.load(f"{API}store: {{url: '{store}'}}")
    assert config.cache == workplace.directory / cache


def test_flag_wins_over_environment_over_file(workplace: Workplace) -> None:
    text = API + "server: {host: 127.0.0.2, port: 1, drain_seconds: 3}"
    environ = {"OCP_GATEWAY_SERVER__PORT": "2", "OCP_GATEWAY_SERVER__HOST": "127.0.0.3"}
    overrides = Overrides(host="127.0.0.4")
    server = workplace.load(text, environ=environ, overrides=overrides).server
    assert (server.host, server.port, server.drain_seconds) == ("127.0.0.4", 2, 3.0)


def test_every_fault_is_reported_at_once_with_its_line(workplace: Workplace) -> None:
    faults = workplace.faults(
        "server:\n"
        "  hots: 127.0.0.1\n"
        "  port: '80'\n"
        "  port: 90\n"
        "apis:\n"
        "  - name: pets\n"
        "    spec: pets.yaml\n"
        "    credentials:\n"
        "      key: env:KEY\n"
        "    base_url: ftp://pets.example\n"
        "  - spec: more.yaml\n"
        "store: {url: 'env:MISSING'}\n",
        environ={"OCP_GATEWAY_SERVER__PROT": "1"},
        overrides=Overrides(base_urls=("dogs=http://127.0.0.1",)),
    )
    assert faults == (
        "gateway.yaml:2: server.hots: unknown key (did you mean host?)",
        "gateway.yaml:3: server.port: must be an integer, not text",
        "gateway.yaml:4: server.port: written twice",
        f"gateway.yaml:8: apis[0].credentials: {LATER} (outgoing credentials)",
        "gateway.yaml:10: apis[0].base_url: must be an absolute http:// or https:// URL",
        "gateway.yaml:11: apis[1]: needs name",
        "gateway.yaml:12: store.url: the environment variable of env:MISSING is not set",
        "OCP_GATEWAY_SERVER__PROT: server.prot: unknown key (did you mean port?)",
        "--base-url: no API is named 'dogs'",
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param("", "no API", id="empty"),
        pytest.param("apis: []", "no API", id="no-api"),
        pytest.param("- 1", "gateway.yaml:1: the configuration must be a mapping", id="list"),
        pytest.param("a: [", "gateway.yaml:1: not YAML", id="syntax"),
        pytest.param("a: 1\n\x01: 2", "gateway.yaml:2: not YAML", id="control-character"),
        pytest.param(b"a: 1\nb: \xff", "gateway.yaml:2: not UTF-8", id="not-utf-8"),
        pytest.param("a: 1\n---\nb: 2", "gateway.yaml:2: not YAML", id="two-documents"),
        pytest.param("[" * 5000, "gateway.yaml: nested too deeply", id="deep"),
        pytest.param("server: &a\n  host: *a", "server.host: an alias contains", id="cycle"),
        pytest.param("server: !!python/name:os.system {}", "tags are not", id="tag"),
        pytest.param("? [a]\n: 1", "gateway.yaml:1: a key must be text", id="list-as-key"),
        pytest.param("server: []", "must be a mapping or null, not a list", id="section-list"),
        pytest.param("server: {port: true}", "an integer, not true or false", id="bool-port"),
        pytest.param("server: {port: 65536}", "must be at most 65535", id="port-too-high"),
        pytest.param("server: {host: ''}", "must not be empty", id="empty-host"),
        pytest.param("server: {host: '[::1]'}", "without brackets", id="bracketed-host"),
        pytest.param('server: {host: "a\\0b"}', "must be an address or name", id="nul-host"),
        pytest.param("server: {ready_when: al}", "(did you mean all?)", id="misspelt-choice"),
        pytest.param("server: {public_url: /x}", "must be an absolute", id="relative-public-url"),
        pytest.param("server: {allowed_hosts: ['a b']}", "must be HOST", id="bad-host-value"),
        pytest.param("server: {drain_seconds: 1e999}", "must be at most", id="infinite"),
        pytest.param("store: {url: mysql://h}", "must be memory://", id="unknown-store"),
        pytest.param("store: {url: 'sqlite:///'}", "needs a path", id="sqlite-without-path"),
        pytest.param("store: {url: 'redis://'}", "must name a host", id="redis-without-host"),
        pytest.param("store: {url: 'redis://h:x'}", "must name a host", id="redis-bad-port"),
        pytest.param("store: {url: 'redis+cluster://'}", "must name hosts", id="cluster"),
        pytest.param("store: {url: 'file:secret'}", "an absolute path", id="relative-secret"),
        pytest.param("store: {url: 'file:/nope/x'}", "cannot be read", id="missing-secret-file"),
        pytest.param("mcp: {state_key: hunter2}", "must be a secret reference", id="literal-key"),
        pytest.param(
            "{server: {workers: 2}, store: {url: 'memory://'}}",
            "a memory of its own",
            id="workers-memory",
        ),
        pytest.param(
            "{server: {workers: 2}, mcp: {sse: true}}", "one worker only", id="workers-sse"
        ),
    ],
)
def test_a_bad_document_is_one_clear_fault(
    workplace: Workplace, text: str | bytes, fault: str
) -> None:
    assert any(fault in line for line in workplace.faults(text))


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        pytest.param("name: Pets", "apis[0].name: must match", id="upper-case-name"),
        pytest.param("name: pets-and-very-many-other-animals-x", "must match", id="long-name"),
        pytest.param("spec: file:///etc/x", "must be a path or", id="file-url"),
        pytest.param("spec: ''", "must not be empty", id="empty-spec"),
        pytest.param("spec: https://u:p@h/x", "a user or password", id="password-in-spec"),
        pytest.param("base_url: 'http://h/?a'", "a query or a fragment", id="query"),
        pytest.param("base_url: 'http://h/#'", "a query or a fragment", id="empty-fragment"),
        pytest.param("base_url: http://u@h/", "a user or password", id="userinfo"),
        pytest.param("base_url: http://h:0/", "invalid host or port", id="port-zero"),
        pytest.param("base_url: http://h:99999/", "invalid host or port", id="port-too-high"),
        pytest.param("base_url: 'http://[::1'", "invalid host or port", id="broken-ipv6"),
        pytest.param("base_url: 'http://:80'", "invalid host or port", id="no-host"),
        pytest.param('base_url: "http://h/\\tx"', "must be ASCII", id="tab"),
        pytest.param("base_url: 'http://h\\x'", "must be ASCII", id="backslash"),
        pytest.param("headers: {Host: x}", "written by the gateway", id="host-header"),
        pytest.param("headers: {OCP-Session: x}", "written by the gateway", id="ocp-header"),
        pytest.param("headers: {ocp_user: x}", "written by the gateway", id="ocp-twin"),
        pytest.param("headers: {transfer_Encoding: x}", "written by the gateway", id="te-twin"),
        pytest.param("headers: {a b: x}", "not a valid header name", id="header-name"),
        pytest.param('headers: {X: "a\\r\\nb: c"}', "not a valid header value", id="crlf"),
        pytest.param("headers: {X: '→'}", "not a valid header value", id="not-latin-1"),
        pytest.param("headers: {X: 1}", "must be text, not a number", id="number"),
        pytest.param("headers: {X: a, x: b}", "is written twice", id="twice"),
        pytest.param("headers: {X: 'env:KEY'}", "secret references", id="secret-in-header"),
        pytest.param("spec_headers: {X: 'env:NONE'}", "env:NONE is not set", id="no-secret"),
        pytest.param('spec_headers: {X: "a\\nb: c"}', "not a valid header value", id="spec-lf"),
        pytest.param("spec_headers: {Host: x}", "written by the gateway", id="spec-host"),
        pytest.param("spec_headers: {If-None-Match: x}", "written by the gateway", id="etag"),
        pytest.param("spec_headers: {X: a, x: b}", "is written twice", id="spec-twice"),
        pytest.param("reload_seconds: -1", "must be at least 0", id="negative-reload"),
        pytest.param("reload_seconds: 0.5", "must be an integer", id="half-a-second"),
        pytest.param("forward_headers: [Connection]", "written by the gateway", id="forward"),
        pytest.param("forward_headers: ['']", "not a valid header name", id="forward-empty"),
        pytest.param("timeout_seconds: 0", "must be more than 0", id="no-timeout"),
        pytest.param("retries: -1", "must be at least 0", id="negative-retries"),
        pytest.param("include: [{}]", "apis[0].include[0]: must not be empty", id="empty-rule"),
        pytest.param("include: [{verb: GET}]", "unknown key", id="unknown-in-rule"),
        pytest.param("exclude: [{method: trace}]", "must be one of GET, PUT", id="method"),
        pytest.param("exclude: {tag: a}", "must be a list, not a mapping", id="rules-mapping"),
        pytest.param("tools: {a: }", "apis[0].tools.a: must be a mapping, not null", id="no-tool"),
        pytest.param("tools: {a: {hide: true}}", "(did you mean hidden?)", id="unknown-in-tool"),
        pytest.param("tools: {a: {name: 9a}}", "tools.a.name: is no tool name", id="tool-name"),
        pytest.param('tools: {a: {name: "b\\n"}}', "is no tool name", id="tool-name-lf"),
        pytest.param("tools: {a: {name: callTool}}", "of the gateway's own", id="reserved-name"),
        pytest.param("tools: {a: {timeout_seconds: 0}}", "must be more than 0", id="tool-time"),
        pytest.param("tools: {a: {description: ''}}", "must not be empty", id="tool-text"),
        pytest.param("tools: {a: {arguments: bodies}}", "(did you mean body?)", id="arguments"),
        pytest.param(
            "tools: {a: {select: 'b['}}", "a.select: is no JMESPath: it ends", id="select"
        ),
        pytest.param("tools: {a: {select: 'f(@)'}}", "a.select: calls f()", id="function"),
        pytest.param("tools: {a: {confirm: ask}}", "confirm: must be true or false", id="confirm"),
        pytest.param("interaction: always", "must be true or false", id="interaction"),
        pytest.param("headers: {Gateway-Interaction: x}", "written by the", id="offer-header"),
        pytest.param(
            "tools: {a: {mcp_headers: {b: c d}}}", "is no part of a header's name", id="mcp-headers"
        ),
        pytest.param("tools: {a: {set: [b]}}", "must be a mapping, not a list", id="set-list"),
        pytest.param("proxy: yes", "must be one of described, any, off", id="proxy-yes"),
    ],
)
def test_a_bad_api_is_one_clear_fault(workplace: Workplace, members: str, fault: str) -> None:
    base = {"name": "pets", "spec": "x"}
    base.pop(members.partition(":")[0], None)
    given = ", ".join(f"{key}: {value}" for key, value in base.items())
    faults = workplace.faults(f"apis: [{{{given}, {members}}}]")
    assert len(faults) == 1
    assert fault in faults[0]


def test_two_tools_of_an_api_cannot_be_given_one_name(workplace: Workplace) -> None:
    text = "apis:\n- name: a\n  spec: x\n  tools:\n    b: {name: d}\n    c: {name: d}"
    assert workplace.faults(text) == (
        "gateway.yaml:6: apis[0].tools.c.name: b is given this name already",
    )


def test_what_asks_people_arrives(workplace: Workplace) -> None:
    config = workplace.load(
        """
        apis:
          - name: pets
            spec: pets.yaml
            interaction: true
            tools: {drop: {confirm: true}, pat: {confirm: false}, feed: {confirm: null}}
          - {name: others, spec: others.yaml}
        mcp: {confirm_destructive: true}
        """
    )
    pets, others = config.apis
    assert (pets.interaction, others.interaction) == (True, False)
    assert [pets.tools[name].confirm for name in ("drop", "pat", "feed")] == [True, False, None]
    assert config.mcp.confirm_destructive


def test_how_mcp_publishes_tools_arrives(workplace: Workplace) -> None:
    config = workplace.load(
        """
        mcp: {tools: search, output_schemas: true, page_size: 50}
        apis: [{name: pets, spec: pets.yaml, tools: {listPets: {mcp_headers: {region: Region}}}}]
        """
    )
    assert config.mcp.searches
    assert (config.mcp.output_schemas, config.mcp.page_size) == (True, 50)
    assert config.apis[0].tools["listPets"].mcp_headers == {"region": "Region"}
    assert not McpConfig().searches


def test_choices_and_settings_of_tools_arrive(workplace: Workplace) -> None:
    (api,) = workplace.load(
        """
        apis:
          - name: pets
            spec: pets.yaml
            include: [{method: get, path: "/pets/**"}, {tag: a}]
            exclude: [{operation_id: "*-internal"}]
            tools:
              listPets: {name: pets, description: All pets, timeout_seconds: 2, select: "[].name"}
              getPet: {hidden: true, arguments: body, set: {a: 1, b: [x, null], c: {d: off}}}
        """
    ).apis
    assert api.include == (Rule(method="get", path="/pets/**"), Rule(tag="a"))
    assert api.exclude == (Rule(operation_id="*-internal"),)
    assert api.selection == Selection(include=api.include, exclude=api.exclude)
    assert api.tools == {
        "listPets": ToolOverride(
            name="pets", description="All pets", timeout_seconds=2.0, select="[].name"
        ),
        "getPet": ToolOverride(
            hidden=True, arguments="body", set={"a": 1, "b": ["x", None], "c": {"d": "off"}}
        ),
    }


def test_two_apis_cannot_share_a_name(workplace: Workplace) -> None:
    text = "apis:\n- {name: a, spec: x}\n- {name: a, spec: y}"
    assert workplace.faults(text) == (
        "gateway.yaml:3: apis[1].name: apis[0] has this name already",
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param("missing.yaml", "missing.yaml: No such file or directory", id="missing"),
        pytest.param(".", ".: Is a directory", id="directory"),
    ],
)
def test_an_unreadable_file_is_a_fault(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(Path(name), overrides=Overrides(), environ={}, cwd=tmp_path)
    assert caught.value.faults == (message,)


@pytest.mark.parametrize(
    ("text", "overrides"),
    [
        pytest.param("server: {host: 0.0.0.0}", Overrides(), id="host"),
        pytest.param("server: {host: '::'}", Overrides(), id="ipv6-host"),
        pytest.param("server: {host: gateway.internal}", Overrides(), id="named-host"),
        pytest.param("", Overrides(host="10.0.0.1"), id="host-flag"),
        pytest.param("server: {public_url: https://x.example}", Overrides(), id="public-url"),
        pytest.param("server: {allowed_hosts: [x.example]}", Overrides(), id="allowed-host"),
        pytest.param("server: {allowed_hosts: ['[::2]:80']}", Overrides(), id="ipv6-host-value"),
        pytest.param(
            "server: {allowed_hosts: [127.0.0.1.x.example]}", Overrides(), id="look-alike"
        ),
    ],
)
def test_an_open_gateway_beyond_loopback_needs_the_flag(
    workplace: Workplace, text: str, overrides: Overrides
) -> None:
    (fault,) = workplace.faults(API + text, overrides=overrides)
    assert "--insecure-open" in fault
    allowed = Overrides(host=overrides.host, insecure_open=True)
    assert workplace.load(API + text, overrides=allowed).insecure_open
    silent = Overrides(host=overrides.host, listens=False)
    assert not workplace.load(API + text, overrides=silent).insecure_open


@pytest.mark.parametrize(
    "server",
    [
        pytest.param("host: localhost", id="localhost"),
        pytest.param("host: 127.8.9.10", id="127/8"),
        pytest.param("host: '::1'", id="ipv6"),
        pytest.param("public_url: 'http://[::1]:80/x'", id="public-url"),
        pytest.param("allowed_hosts: ['LOCALHOST:1', '127.0.0.1', '[::1]:8']", id="host-values"),
    ],
)
def test_loopback_needs_no_flag(workplace: Workplace, server: str) -> None:
    assert workplace.load(API + f"server: {{{server}}}").apis


def test_a_section_with_nothing_left_in_it_is_the_default(workplace: Workplace) -> None:
    assert workplace.load(API + "server:\nstore:\nmcp:\n").server.port == 8080


def test_an_alias_repeats_what_it_names(workplace: Workplace) -> None:
    text = """
    apis:
      - {name: a, spec: x, headers: &common {X-Env: prod}}
      - {name: b, spec: y, headers: *common}
    """
    assert [api.headers for api in workplace.load(text).apis] == [(("X-Env", "prod"),)] * 2


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_each_example_loads(path: Path) -> None:
    config = load_config(path, overrides=Overrides(), environ=EXAMPLE_SECRETS, cwd=EXAMPLES)
    assert all(Path(api.spec).exists() for api in config.apis)


def test_no_example_is_missed() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.yaml")} == {"mcp", "minimal", "redis", "sidecar"}
