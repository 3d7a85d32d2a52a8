"""Kubernetes manifests as data, and what must hold for every set of them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

import yaml

from gateway.config import Config, Overrides, load_config

Table = Mapping[str, object]

GATEWAY = "ocp-gateway"
SECRETS = "/run/secrets/ocp-gateway"
REDIS_URL = "redis://gateway:pa55word@ocp-gateway-redis.ocp-gateway.svc:6379/0"


def table(value: object) -> Table:
    assert isinstance(value, Mapping), value
    return cast("Table", value)


def at(value: object, *path: str | int) -> object:
    """What stands there; None where the way ends."""
    for step in path:
        if isinstance(step, int) and isinstance(value, list):
            value = value[step]
        elif isinstance(value, Mapping):
            value = value.get(step)
        else:
            return None
    return value


def tables(value: object, *path: str | int) -> list[Table]:
    """The list that stands there; empty where there is none."""
    found = at(value, *path)
    return [table(item) for item in found] if isinstance(found, list) else []


def text(value: object, *path: str | int) -> str:
    found = at(value, *path)
    assert isinstance(found, str), (path, found)
    return found


def read_manifests(source: str) -> "Manifests":
    return Manifests(resources=tuple(table(one) for one in yaml.safe_load_all(source) if one))


def read_directory(directory: Path) -> "Manifests":
    """Those that the directory's kustomization names."""
    names = at(yaml.safe_load((directory / "kustomization.yaml").read_text()), "resources")
    assert isinstance(names, list)
    return read_manifests("\n---\n".join((directory / str(name)).read_text() for name in names))


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A Deployment or StatefulSet and its pods."""

    resource: Table

    @property
    def pod(self) -> Table:
        return table(at(self.resource, "spec", "template", "spec"))

    @property
    def labels(self) -> Table:
        return table(at(self.resource, "spec", "template", "metadata", "labels"))

    @property
    def containers(self) -> list[Table]:
        return tables(self.pod, "initContainers") + tables(self.pod, "containers")

    def container(self, name: str) -> Table:
        (found,) = (one for one in self.containers if one["name"] == name)
        return found

    def volume(self, container: Table, mount_path: str) -> Table:
        """The volume that the container has at this path."""
        (name,) = (
            mount["name"]
            for mount in tables(container, "volumeMounts")
            if mount["mountPath"] == mount_path
        )
        (found,) = (one for one in tables(self.pod, "volumes") if one["name"] == name)
        return found


@dataclass(frozen=True, kw_only=True)
class Manifests:
    """A set of resources that is applied together."""

    resources: tuple[Table, ...]

    def of_kind(self, *kinds: str) -> list[Table]:
        return [one for one in self.resources if one["kind"] in kinds]

    def named(self, kind: str, name: str) -> Table:
        (found,) = (one for one in self.of_kind(kind) if at(one, "metadata", "name") == name)
        return found

    @property
    def workloads(self) -> list[Workload]:
        return [Workload(resource=one) for one in self.of_kind("Deployment", "StatefulSet")]

    @cached_property
    def gateway(self) -> Workload:
        (found,) = (
            workload
            for workload in self.workloads
            if any(container["name"] == GATEWAY for container in workload.containers)
        )
        return found

    @property
    def config_files(self) -> Mapping[str, str]:
        """The files of the directory that the gateway's configuration is mounted as."""
        volume = self.gateway.volume(self.gateway.container(GATEWAY), "/etc/ocp-gateway")
        data = table(self.named("ConfigMap", text(volume, "configMap", "name"))["data"])
        return {name: str(content) for name, content in data.items()}

    @property
    def secret_names(self) -> set[str]:
        """The files that the configuration refers to."""
        return set(re.findall(rf"file:{SECRETS}/(\S+)", self.config_files["gateway.yaml"]))

    def load_config(self, directory: Path, store_url: str = REDIS_URL) -> Config:
        """The configuration as the container would load it, with secrets of our own."""
        secrets = directory / "secrets"
        secrets.mkdir()
        for name in self.secret_names:
            secret = store_url if "url" in name else f"{name}-of-very-many-characters-indeed"
            (secrets / name).write_text(secret)
        for name, content in self.config_files.items():
            (directory / name).write_text(content.replace(SECRETS, str(secrets)))
        return load_config(
            Path("gateway.yaml"), overrides=Overrides(listens=True), environ={}, cwd=directory
        )

    def selected(self, selector: Table) -> list[Workload]:
        """The workloads whose pods these labels choose."""
        return [one for one in self.workloads if selector.items() <= one.labels.items()]


def ports_of(container: Table) -> dict[str, int]:
    return {
        text(port, "name"): cast("int", port["containerPort"])
        for port in tables(container, "ports")
    }


def probes_of(container: Table) -> Iterator[Table]:
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        if name in container:
            yield table(container[name])
