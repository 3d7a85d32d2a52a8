"""Each rule about manifests finds what it is there for."""

import copy
from pathlib import Path
from typing import cast

import pytest

from tests.support import manifest_rules as rules
from tests.support.manifests import Manifests, at, read_directory
from tests.support.pages import ROOT

POD = ("spec", "template", "spec")
GATEWAY = (*POD, "containers", 0)
BREAKS: tuple[tuple[rules.Rule, str, tuple[str | int, ...], object], ...] = (
    (rules.pods_have_no_rights, "Deployment", (*POD, "hostNetwork"), True),
    (rules.pods_have_no_rights, "Deployment", (*POD, "automountServiceAccountToken"), True),
    (rules.pods_have_no_rights, "Deployment", (*POD, "securityContext", "runAsUser"), 0),
    (rules.pods_have_no_rights, "StatefulSet", (*POD, "volumes"), [{"hostPath": {"path": "/"}}]),
    (
        rules.containers_can_change_nothing,
        "StatefulSet",
        (*GATEWAY, "securityContext", "readOnlyRootFilesystem"),
        False,
    ),
    (rules.containers_can_change_nothing, "Deployment", (*GATEWAY, "resources"), {}),
    (rules.images_are_of_a_version, "Deployment", (*GATEWAY, "image"), "x/ocp-gateway:0.0.9"),
    (rules.images_are_of_a_version, "StatefulSet", (*GATEWAY, "image"), "registry:5000/redis"),
    (
        rules.probes_ask_the_listener_for_probes,
        "Deployment",
        (*GATEWAY, "livenessProbe", "httpGet", "path"),
        "/readyz",
    ),
    (
        rules.probes_ask_the_listener_for_probes,
        "Deployment",
        (*GATEWAY, "ports", 1, "containerPort"),
        8082,
    ),
    (rules.probes_have_a_port, "StatefulSet", (*GATEWAY, "ports", 0, "name"), "other"),
    (
        rules.the_port_is_the_one_that_is_served,
        "Deployment",
        (*GATEWAY, "ports", 0, "containerPort"),
        80,
    ),
    (
        rules.others_are_asked_for_a_key,
        "Deployment",
        (*GATEWAY, "args"),
        ["serve", "--insecure-open"],
    ),
    (rules.services_lead_to_a_port, "Service", ("spec", "ports", 0, "targetPort"), "https"),
    (rules.services_lead_to_a_port, "Service", ("spec", "selector"), {"app": "other"}),
    (
        rules.selectors_choose_their_own,
        "Deployment",
        ("spec", "template", "metadata", "labels"),
        {"app.kubernetes.io/name": "ocp-gateway-redis"},
    ),
    (
        rules.scaling_is_about_the_gateway,
        "HorizontalPodAutoscaler",
        ("spec", "minReplicas"),
        1,
    ),
    (rules.scaling_is_about_the_gateway, "Deployment", ("spec", "replicas"), 2),
    (rules.every_pod_has_a_policy, "NetworkPolicy", ("spec", "policyTypes"), ["Ingress"]),
    (
        rules.policies_keep_to_what_is_needed,
        "NetworkPolicy",
        ("spec", "egress", 0, "to"),
        [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}],
    ),
    (rules.policies_keep_to_what_is_needed, "NetworkPolicy", ("spec", "ingress", 0, "ports"), []),
    (
        rules.policies_let_traffic_pass,
        "NetworkPolicy",
        ("spec", "egress", 2, "ports", 0, "port"),
        9001,
    ),
    (rules.there_is_time_to_drain, "Deployment", (*POD, "terminationGracePeriodSeconds"), 25),
    (
        rules.files_are_where_they_are_looked_for,
        "Deployment",
        (*GATEWAY, "volumeMounts", 0, "subPath"),
        "gateway.yaml",
    ),
    (rules.files_are_where_they_are_looked_for, "Deployment", (*POD, "volumes", 3, "emptyDir"), {}),
    (
        rules.secrets_are_elsewhere,
        "Deployment",
        (*GATEWAY, "env"),
        [{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "x", "key": "y"}}}],
    ),
    (rules.secrets_are_elsewhere, "Service", ("kind",), "Secret"),
)


def broken(
    manifests: Manifests, kind: str, path: tuple[str | int, ...], value: object
) -> Manifests:
    """The first resource of this kind with another value there."""
    resources = copy.deepcopy(manifests.resources)
    first = next(one for one in resources if one["kind"] == kind)
    *way, last = path
    place = cast("dict[str | int, object]", at(first, *way))
    place[last] = value
    return Manifests(resources=resources)


@pytest.mark.parametrize(
    ("rule", "kind", "path", "value"),
    BREAKS,
    ids=[f"s102_{rule.__name__}-{kind}-{path[-1]}" for rule, kind, path, _ in BREAKS],
)
def test_a_rule_finds(
    rule: rules.Rule, kind: str, path: tuple[str | int, ...], value: object, tmp_path: Path
) -> None:
    manifests = read_directory(ROOT / "config" / "kubernetes" / "central")
    config = manifests.load_config(tmp_path)

    assert not list(rule(manifests, config))
    assert list(rule(broken(manifests, kind, path, value), config))


def test_there_is_a_case_for_every_rule() -> None:
    assert {rule for rule, *_ in BREAKS} == {*rules.RULES}
