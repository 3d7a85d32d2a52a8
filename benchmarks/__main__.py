"""`python -m benchmarks [loading|yaml|codec|traffic]`: measure, and print Markdown."""

import argparse
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks import codec, loading, traffic, yaml_text

_PACKAGES = ("aiohttp", "uvloop", "orjson", "isal", "jsonschema-rs", "yaml-rs", "ocp-gateway")
_WHAT = ("loading", "yaml", "codec", "traffic")
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
    parser.add_argument("what", nargs="*", help=f"{', '.join(_WHAT)}; default all")
    parser.add_argument("--rounds", type=int, default=7, help="default: %(default)s")
    parser.add_argument(
        "--each", type=int, default=200, help="requests per connection and round (%(default)s)"
    )
    parser.add_argument(
        "--description",
        type=Path,
        default=_GITHUB,
        help="JSON description for `loading` and `yaml`",
    )
    parser.add_argument(
        "--peers", type=Path, metavar="PYTHON", help="measure peers of `loading` with this Python"
    )
    options = parser.parse_args()
    unknown = set(options.what) - set(_WHAT)
    if unknown:
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}")
    chosen = options.what or _WHAT
    print(_machine())
    if {"loading", "yaml"} & set(chosen) and not options.description.exists():
        parser.error(f"{options.description} is not there; name one with --description")
    if "loading" in chosen:
        measured = loading.measure(options.description, options.rounds, options.peers)
        print("\n## Loading\n\n" + measured)
    if "yaml" in chosen:
        print("\n## YAML\n\n" + yaml_text.measure(options.description, options.rounds))
    if "codec" in chosen:
        print("\n## OCP-Session\n\n" + codec.measure(options.rounds))
    if "traffic" in chosen:
        print("\n## Traffic\n\n" + traffic.measure(options.rounds, options.each))
    return 0


if __name__ == "__main__":
    sys.exit(main())
