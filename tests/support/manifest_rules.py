"""What must hold for every set of manifests, plain or rendered. Each rule names what breaks it."""

import ipaddress
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from gateway import __version__
from gateway.config import Config
from gateway.config.addresses import is_loopback
from tests.support.manifests import (
    GATEWAY,
    SECRETS,
    Manifests,
    Table,
    at,
    ports_of,
    probes_of,
    table,
    tables,
    text,
)

Faults = Iterator[str]
Rule = Callable[[Manifests, Config], Faults]

LEAST_USER = 10_000
METADATA = ipaddress.ip_address("169.254.169.254")


def pods_have_no_rights(manifests: Manifests, _: Config) -> Faults:
    """Not root, no token of the API server, nothing of the node: what `restricted` asks for."""
    expected = {
        ("automountServiceAccountToken",): False,
        ("securityContext", "runAsNonRoot"): True,
        ("securityContext", "seccompProfile", "type"): "RuntimeDefault",
        ("hostNetwork",): None,
        ("hostPID",): None,
        ("hostIPC",): None,
    }
    for workload in manifests.workloads:
        pod, name = workload.pod, text(workload.resource, "metadata", "name")
        for path, value in expected.items():
            if at(pod, *path) != value:
                yield f"{name}: {'.'.join(path)} is {at(pod, *path)}"
        user = at(pod, "securityContext", "runAsUser")
        if not isinstance(user, int) or user < LEAST_USER:
            yield f"{name}: runs as {user}, which may be somebody on the node"
        for volume in tables(pod, "volumes"):
            if "hostPath" in volume:
                yield f"{name}: a directory of the node"


def containers_can_change_nothing(manifests: Manifests, _: Config) -> Faults:
    for workload in manifests.workloads:
        for container in workload.containers:
            name, rights = container["name"], container.get("securityContext")
            if at(rights, "readOnlyRootFilesystem") is not True:
                yield f"{name}: its root file system is writable"
            if at(rights, "allowPrivilegeEscalation") is not False:
                yield f"{name}: may gain privileges"
            if at(rights, "capabilities", "drop") != ["ALL"] or at(rights, "capabilities", "add"):
                yield f"{name}: keeps capabilities"
            for kind in ("requests", "limits"):
                if at(container, "resources", kind, "memory") is None:
                    yield f"{name}: no {kind} of memory"


def images_are_of_a_version(manifests: Manifests, _: Config) -> Faults:
    for workload in manifests.workloads:
        for container in workload.containers:
            image = text(container, "image")
            tag = image.rpartition("/")[2].partition(":")[2]
            if tag in ("", "latest"):
                yield f"{image}: of no certain version"
            if container["name"] == GATEWAY and tag != __version__:
                yield f"{image}: this is {__version__}"


def probes_ask_the_listener_for_probes(manifests: Manifests, config: Config) -> Faults:
    """And a container is never killed because an API or a store is down."""
    container = manifests.gateway.container(GATEWAY)
    listens = config.server.probe_listen
    if listens is None or listens[0] != "0.0.0.0":  # noqa: S104 - what is asserted of a pod
        yield f"probe_listen {listens} is out of the kubelet's reach"
    elif ports_of(container).get("probes") != listens[1]:
        yield f"the port for probes is {ports_of(container).get('probes')}, not {listens[1]}"
    paths = {"startupProbe": "/healthz", "readinessProbe": "/readyz", "livenessProbe": "/healthz"}
    for probe, path in paths.items():
        if at(container, probe, "httpGet") != {"path": path, "port": "probes"}:
            yield f"{probe} does not ask for {path}"


def probes_have_a_port(manifests: Manifests, _: Config) -> Faults:
    for workload in manifests.workloads:
        for container in workload.containers:
            for probe in probes_of(container):
                port = at(probe, "httpGet", "port") or at(probe, "tcpSocket", "port")
                if isinstance(port, str) and port not in ports_of(container):
                    yield f"{container['name']}: no port is called {port}"


def the_port_is_the_one_that_is_served(manifests: Manifests, config: Config) -> Faults:
    port = ports_of(manifests.gateway.container(GATEWAY)).get("http")
    if is_loopback(config.server.host):
        if port is not None:
            yield "a gateway on loopback has a port for others"
    elif port != config.server.port:
        yield f"the container's port is {port}, the gateway's {config.server.port}"


def others_are_asked_for_a_key(manifests: Manifests, config: Config) -> Faults:
    if not is_loopback(config.server.host) and not config.api_keys:
        yield "everybody in the cluster may use it"
    if "--insecure-open" in str(manifests.gateway.container(GATEWAY).get("args")):
        yield "--insecure-open"


def services_lead_to_a_port(manifests: Manifests, _: Config) -> Faults:
    for service in manifests.of_kind("Service"):
        name = text(service, "metadata", "name")
        chosen = manifests.selected(table(at(service, "spec", "selector")))
        if len(chosen) != 1:
            yield f"Service {name} chooses {len(chosen)} workloads"
            continue
        ports = {port for one in chosen[0].containers for port in ports_of(one)}
        for port in tables(service, "spec", "ports"):
            if port.get("targetPort") not in ports:
                yield f"Service {name} leads to {port.get('targetPort')}"


def selectors_choose_their_own(manifests: Manifests, _: Config) -> Faults:
    for workload in manifests.workloads:
        chosen = manifests.selected(table(at(workload.resource, "spec", "selector", "matchLabels")))
        if chosen != [workload]:
            yield f"{text(workload.resource, 'metadata', 'name')} does not choose its own pods"
    for budget in manifests.of_kind("PodDisruptionBudget"):
        if len(manifests.selected(table(at(budget, "spec", "selector", "matchLabels")))) != 1:
            yield "the PodDisruptionBudget is about nobody"


def scaling_is_about_the_gateway(manifests: Manifests, _: Config) -> Faults:
    gateway = manifests.gateway.resource
    for scaler in manifests.of_kind("HorizontalPodAutoscaler"):
        if at(scaler, "spec", "scaleTargetRef", "name") != at(gateway, "metadata", "name"):
            yield "the HorizontalPodAutoscaler scales somebody else"
        if at(gateway, "spec", "replicas") is not None:
            yield "a deployment would undo what the HorizontalPodAutoscaler did"
        least = at(scaler, "spec", "minReplicas")
        if not isinstance(least, int) or least < 2:
            yield "there is a moment with one replica"


def every_pod_has_a_policy(manifests: Manifests, _: Config) -> Faults:
    for workload in manifests.workloads:
        for way in ("Ingress", "Egress"):
            if not any(way in policy_types(policy) for policy in policies_of(manifests, workload)):
                yield f"{text(workload.resource, 'metadata', 'name')}: {way} is open"


def policies_keep_to_what_is_needed(manifests: Manifests, _: Config) -> Faults:
    """Every rule names somebody and a port, and none leads to the metadata of a node."""
    for policy in manifests.of_kind("NetworkPolicy"):
        for way, whom in (("ingress", "from"), ("egress", "to")):
            for rule in tables(policy, "spec", way):
                if not tables(rule, whom) or not tables(rule, "ports"):
                    yield f"{way} rule without {whom} or ports"
                for peer in tables(rule, whom):
                    if reaches_metadata(peer):
                        yield "a rule leads to the metadata service of a node"


def policies_let_traffic_pass(manifests: Manifests, config: Config) -> Faults:
    """Callers and Prometheus come in; Redis and the APIs of the configuration can be reached."""
    policies = policies_of(manifests, manifests.gateway)
    inward = set(ports_of(manifests.gateway.container(GATEWAY)).values())
    if ports_in(policies, "ingress") != inward:
        yield f"ingress to {ports_in(policies, 'ingress')}, ports are {inward}"
    urls = [urlsplit(api.base_url or "") for api in config.apis]
    outward = {53} | {url.port or 443 for url in urls if not is_loopback(url.hostname or "")}
    if manifests.of_kind("StatefulSet"):
        outward.add(6379)
    if missing := outward - ports_in(policies, "egress"):
        yield f"no egress to {missing}"


def there_is_time_to_drain(manifests: Manifests, config: Config) -> Faults:
    grace = manifests.gateway.pod.get("terminationGracePeriodSeconds")
    if not isinstance(grace, int) or grace < config.server.drain_seconds + 5:
        yield f"{grace} seconds of grace for {config.server.drain_seconds} of draining"


def files_are_where_they_are_looked_for(manifests: Manifests, config: Config) -> Faults:
    """The configuration as a directory that follows its ConfigMap, and places to write to."""
    gateway = manifests.gateway
    container = gateway.container(GATEWAY)
    if any("subPath" in mount for mount in tables(container, "volumeMounts")):
        yield "what is mounted by subPath never changes"
    if "/etc/ocp-gateway/gateway.yaml" not in str(container.get("args")):
        yield "another configuration is served"
    for path in ("/tmp", "/var/lib/ocp-gateway"):  # noqa: S108 - a volume of the pod
        if at(gateway.volume(container, path), "emptyDir", "sizeLimit") is None:
            yield f"{path} is no bounded volume"
    names_secrets = any(SECRETS in content for content in manifests.config_files.values())
    if names_secrets and "secret" not in gateway.volume(container, SECRETS):
        yield "the secrets are not there"


def secrets_are_elsewhere(manifests: Manifests, _: Config) -> Faults:
    if manifests.of_kind("Secret"):
        yield "a Secret is written out"
    for workload in manifests.workloads:
        for container in workload.containers:
            for variable in tables(container, "env"):
                if at(variable, "valueFrom", "secretKeyRef"):
                    yield f"{variable['name']}: a secret in the environment"


def policies_of(manifests: Manifests, workload: object) -> list[Table]:
    return [
        policy
        for policy in manifests.of_kind("NetworkPolicy")
        if workload in manifests.selected(table(at(policy, "spec", "podSelector", "matchLabels")))
    ]


def policy_types(policy: Table) -> list[object]:
    types = at(policy, "spec", "policyTypes")
    return types if isinstance(types, list) else []


def ports_in(policies: list[Table], way: str) -> set[object]:
    return {
        port["port"]
        for policy in policies
        for rule in tables(policy, "spec", way)
        for port in tables(rule, "ports")
    }


def reaches_metadata(peer: Table) -> bool:
    block = at(peer, "ipBlock", "cidr")
    if not isinstance(block, str) or METADATA not in ipaddress.ip_network(block):
        return False
    exceptions = at(peer, "ipBlock", "except")
    assert exceptions is None or isinstance(exceptions, list)
    return not any(METADATA in ipaddress.ip_network(str(one)) for one in exceptions or ())


RULES: tuple[Rule, ...] = (
    pods_have_no_rights,
    containers_can_change_nothing,
    images_are_of_a_version,
    probes_ask_the_listener_for_probes,
    probes_have_a_port,
    the_port_is_the_one_that_is_served,
    others_are_asked_for_a_key,
    services_lead_to_a_port,
    selectors_choose_their_own,
    scaling_is_about_the_gateway,
    every_pod_has_a_policy,
    policies_keep_to_what_is_needed,
    policies_let_traffic_pass,
    there_is_time_to_drain,
    files_are_where_they_are_looked_for,
    secrets_are_elsewhere,
)
