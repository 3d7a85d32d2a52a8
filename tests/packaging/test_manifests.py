"""The plain manifests: one configuration that loads, and everything around it that fits it."""

import re
from pathlib import Path

import pytest

from tests.support.manifest_rules import RULES, Rule
from tests.support.manifests import Manifests, at, read_directory
from tests.support.pages import DOCS, ROOT

DIRECTORIES = ("api-sidecar", "central", "sidecar")


@pytest.fixture(params=DIRECTORIES)
def manifests(request: pytest.FixtureRequest) -> Manifests:
    return read_directory(ROOT / "config" / "kubernetes" / str(request.param))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"s102_{rule.__name__}")
def test_manifests_keep(rule: Rule, manifests: Manifests, tmp_path: Path) -> None:
    config = manifests.load_config(tmp_path)

    assert not list(rule(manifests, config))


def test_everything_is_in_one_namespace_that_enforces_restricted_pods(manifests: Manifests) -> None:
    (namespace,) = manifests.of_kind("Namespace")
    places = {at(one, "metadata", "namespace") for one in manifests.resources} - {None}

    assert places == {at(namespace, "metadata", "name")}
    level = at(namespace, "metadata", "labels", "pod-security.kubernetes.io/enforce")
    assert level == "restricted"


def test_every_file_of_a_directory_is_applied() -> None:
    for name in DIRECTORIES:
        directory = ROOT / "config" / "kubernetes" / name
        kustomization = (directory / "kustomization.yaml").read_text()
        files = {path.name for path in directory.iterdir()} - {"kustomization.yaml"}

        assert files == set(re.findall(r"^  - (\S+\.yaml)$", kustomization, re.MULTILINE))


def test_the_page_makes_every_secret_that_the_manifests_name() -> None:
    page = (DOCS / "kubernetes.md").read_text()

    made = set(re.findall(r"--from-(?:literal|file)=([a-z.-]+)=", page))
    central = read_directory(ROOT / "config" / "kubernetes" / "central")
    assert made == central.secret_names | {"users.acl"}


def test_the_redis_user_of_the_page_has_the_rights_of_the_stores_page() -> None:
    rights = re.search(r"~ocp-gateway:\* .*", (DOCS / "stores.md").read_text())
    assert rights is not None

    assert rights[0] in (DOCS / "kubernetes.md").read_text()
