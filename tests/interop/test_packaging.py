"""Linters and Helm's own engine judge the image, the manifests and the chart.

They come from the environment that `make interop` makes of requirements/lint.lock.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.support.manifest_rules import RULES
from tests.support.manifests import GATEWAY, Manifests, Table, at, read_directory, read_manifests
from tests.support.pages import ROOT, fenced

TOOLS = ROOT / ".venv-lint" / "bin"
PLAIN = ROOT / "config" / "kubernetes"
CHART = ROOT / "config" / "helm" / "ocp-gateway"
CASES = sorted((CHART / "ci").glob("*.yaml"))
KUBERNETES = ("1.30.0", "1.33.0", "1.37.0")
# A digest belongs to the image that somebody has built and pushed; IfNotPresent is right for a tag
# that never moves.
NOT_ASKED = "CKV_K8S_43,CKV_K8S_15"
# Of a CustomResourceDefinition, whose schema no Kubernetes has.
FOREIGN_KINDS = {"PodMonitor"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What Helm makes of a chart; `refused` says why it makes nothing of it."""

    lint: list[Table]
    manifests: Mapping[str, str]
    refused: str | None

    @property
    def read(self) -> Manifests:
        texts = [text for name, text in self.manifests.items() if name.endswith(".yaml")]
        return read_manifests("\n---\n".join(texts))


def run(tool: str, *arguments: str | Path, stdin: str = "") -> str:
    """What the tool writes; fails with it where the tool finds something."""
    words = [str(TOOLS / tool), *map(str, arguments)]
    done = subprocess.run(
        words, input=stdin, capture_output=True, text=True, timeout=120, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def render(chart: Path, values: object, namespace: str = "ocp-gateway") -> Rendered:
    script = Path(__file__).parent / "render_chart.py"
    said = json.loads(run("python", script, chart, namespace, stdin=json.dumps(values)))
    return Rendered(**said)


@pytest.fixture(params=CASES, ids=lambda path: path.stem)
def rendered(request: pytest.FixtureRequest) -> Rendered:
    return render(CHART, yaml.safe_load(Path(str(request.param)).read_text()))


@pytest.fixture
def validated(rendered: Rendered, tmp_path: Path) -> Path:
    """The rendered resources that every Kubernetes knows, in a file."""
    kept = [one for one in rendered.read.resources if one["kind"] not in FOREIGN_KINDS]
    file = tmp_path / "rendered.yaml"
    file.write_text(yaml.safe_dump_all(kept))
    return file


def test_s98_hadolint_has_nothing_against_the_image() -> None:
    run("hadolint", "Dockerfile")


def test_s98_checkov_has_nothing_against_the_image() -> None:
    run("checkov", "--quiet", "--compact", "--skip-download", "--file", "Dockerfile")


def test_s102_checkov_has_nothing_against_the_manifests() -> None:
    passed = run(
        *("checkov", "--compact", "--skip-download", "--framework", "kubernetes"),
        *("--skip-check", NOT_ASKED, "--directory", PLAIN),
    )

    assert int(re.findall(r"Passed checks: (\d+)", passed)[0]) > 200


def test_s102_checkov_has_nothing_against_the_rendered_chart(validated: Path) -> None:
    run(
        *("checkov", "--quiet", "--compact", "--skip-download", "--framework", "kubernetes"),
        *("--skip-check", NOT_ASKED, "--file", validated),
    )


def test_the_yaml_is_tidy() -> None:
    rules = "{extends: default, rules: {document-start: disable, line-length: {max: 120},"
    rules += " comments: {min-spaces-from-content: 1}, comments-indentation: disable}}"

    alerts = ROOT / "config" / "prometheus"
    files = (PLAIN, alerts, CHART / "values.yaml", CHART / "Chart.yaml")
    run("yamllint", "--strict", "-d", rules, *files)


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("directory", ["api-sidecar", "central", "sidecar"])
def test_the_manifests_are_what_kubernetes_takes(directory: str, version: str) -> None:
    files = sorted((PLAIN / directory).glob("*.yaml"))
    known = [file for file in files if file.name != "kustomization.yaml"]

    run("kubernetes-validate", "--strict", "--no-warn", "-k", version, *known)


@pytest.mark.parametrize("version", KUBERNETES)
def test_the_rendered_chart_is_what_kubernetes_takes(validated: Path, version: str) -> None:
    run("kubernetes-validate", "--strict", "--no-warn", "-k", version, validated)


def test_helm_lints_and_renders_the_chart(rendered: Rendered, tmp_path: Path) -> None:
    manifests = rendered.read
    config = manifests.load_config(tmp_path)

    assert (rendered.lint, rendered.refused) == ([], None)
    assert not [fault for rule in RULES for fault in rule(manifests, config)]


def test_the_chart_runs_what_the_plain_manifests_run() -> None:
    """One container, one Redis, one set of policies, however it is deployed."""
    values = yaml.safe_load((CHART / "ci" / "central.yaml").read_text())
    chart, plain = render(CHART, values).read, read_directory(PLAIN / "central")

    def container(manifests: Manifests) -> Table:
        found = dict(manifests.gateway.container(GATEWAY))
        del found["volumeMounts"]
        return found

    assert container(chart) == container(plain)
    for kind in ("HorizontalPodAutoscaler", "PodDisruptionBudget", "Service"):
        names = [{at(one, "metadata", "name") for one in of.of_kind(kind)} for of in (chart, plain)]
        assert names[0] == names[1]
    redis = [of.named("ConfigMap", "ocp-gateway-redis")["data"] for of in (chart, plain)]
    assert redis[0] == redis[1]


def test_s101_the_bill_of_materials_names_everything_that_is_locked(tmp_path: Path) -> None:
    lock, bill = ROOT / "requirements" / "runtime.lock", tmp_path / "bill.json"
    run("cyclonedx-py", "requirements", lock, "--schema-version", "1.6", "--outfile", bill)

    named = {(one["name"], one["version"]) for one in json.loads(bill.read_text())["components"]}
    assert named == set(
        re.findall(r"^([\w.-]+)(?:\[[^]]*\])?==([^\s;]+)", lock.read_text(), re.MULTILINE)
    )


def test_a_name_of_its_own_is_a_host_that_is_answered(tmp_path: Path) -> None:
    values = yaml.safe_load((CHART / "ci" / "every-value.yaml").read_text())
    config = render(CHART, values, namespace="elsewhere").read.load_config(tmp_path)

    names = {*config.server.allowed_hosts}
    assert names >= {"ocp-gateway.elsewhere.svc.cluster.example", "gateway.example.org"}


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({}, "/config/apis"),
        ({"config": {"apis": [{}], "server": {"port": 9}}}, "/config/server/port"),
        ({"config": {"apis": [{}], "store": {"url": "x"}}}, "/config/store/url"),
        ({"config": {"apis": [{}]}, "imag": {}}, "imag"),
        ({"config": {"apis": [{}]}, "apiKeys": []}, "/apiKeys"),
        ({"config": {"apis": [{}]}, "networkPolicy": {"egress": [{"to": []}]}}, "/networkPolicy"),
    ],
    ids=["no-api", "own-port", "own-store", "unknown-value", "no-key", "egress-to-every-port"],
)
def test_values_that_make_no_gateway_are_refused(values: object, why: str) -> None:
    refused = render(CHART, values).refused

    assert refused is not None
    assert why in refused


def test_a_chart_of_ones_own_can_have_the_sidecar(tmp_path: Path) -> None:
    """As the chart's README shows it, file by file."""
    shutil.copytree(CHART, tmp_path / "agent" / "charts" / "ocp-gateway")
    for block in fenced(CHART / "README.md", "yaml"):
        name, _, content = block.removeprefix("# ").partition("\n")
        file = tmp_path / "agent" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(content)

    rendered = render(tmp_path / "agent", {}, namespace="agents")
    plain = read_directory(PLAIN / "sidecar")
    (workload,) = rendered.read.workloads

    assert rendered.refused is None
    assert not [one for one in rendered.read.resources if one["kind"] != "Deployment"]
    expected = dict(plain.gateway.container(GATEWAY))
    shown = dict(workload.container(GATEWAY))
    assert {**shown, "resources": None} == {**expected, "resources": None}
    names = [volume["name"] for volume in expected["volumeMounts"]]  # type: ignore[attr-defined]
    assert {volume["name"] for volume in workload.pod["volumes"]} == {*names}  # type: ignore[attr-defined]
