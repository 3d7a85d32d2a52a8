"""`python -m benchmarks [NAME ...]`: measure, and print Markdown."""

import argparse
import platform
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

from benchmarks import (
    codec,
    context_cost,
    listening,
    loading,
    mcp_tools,
    proxy,
    stores,
    traffic,
    validating,
    yaml_text,
)

_PACKAGES = ("aiohttp", "uvloop", "orjson", "isal", "jsonschema-rs", "yaml-rs", "ocp-gateway")
_MEASUREMENTS: Mapping[str, tuple[str, Callable[[Namespace], str]]] = {
    "loading": ("Loading", lambda o: loading.measure(o.description, o.rounds, o.peers)),
    "yaml": ("YAML", lambda o: yaml_text.measure(o.description, o.rounds)),
    "codec": ("OCP-Session", lambda o: codec.measure(o.rounds)),
    "stores": ("Stores", lambda o: stores.measure(o.rounds)),
    "context": ("A context", lambda o: context_cost.measure(o.rounds, o.each)),
    "mcp": ("MCP", lambda o: mcp_tools.measure(o.description, o.rounds, o.each, o.peers)),
    "listening": ("Listening", lambda _: listening.measure()),
    "validating": ("Validating", lambda o: validating.measure(o.rounds)),
    "proxy": ("Proxy", lambda o: proxy.measure(o.rounds, o.each)),
    "traffic": ("Traffic", lambda o: traffic.measure(o.rounds, o.each)),
}
_GITHUB = Path(__file__).parents[2] / "shared" / "specs" / "github.json"


def _machine() -> str:
    cpuinfo = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in cpuinfo if line.startswith("model name")]
    model = models[0] if models else platform.machine()
    versions = ", ".join(f"{package} {version(package)}" for package in _PACKAGES)
    return (
        f"{len(models)} x {model}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}; {versions}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("what", nargs="*", help=f"{', '.join(_MEASUREMENTS)}; default all")
    parser.add_argument("--rounds", type=int, default=7, help="default: %(default)s")
    parser.add_argument(
        "--each", type=int, default=200, help="requests per connection and round (%(default)s)"
    )
    parser.add_argument(
        "--description",
        type=Path,
        default=_GITHUB,
        help="JSON description for `loading`, `yaml` and `mcp`",
    )
    parser.add_argument(
        "--peers",
        type=Path,
        metavar="PYTHON",
        help="measure peers of `loading` and `mcp` with this Python",
    )
    options = parser.parse_args()
    unknown = set(options.what) - set(_MEASUREMENTS)
    if unknown:
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}")
    chosen = options.what or _MEASUREMENTS
    print(_machine())
    if {"loading", "yaml", "mcp"} & set(chosen) and not options.description.exists():
        parser.error(f"{options.description} is not there; name one with --description")
    for name, (title, measure) in _MEASUREMENTS.items():
        if name in chosen:
            print(f"\n## {title}\n\n{measure(options)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
