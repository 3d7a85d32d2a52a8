"""`python -m benchmarks [loading|traffic]`: measure, and print Markdown."""

import argparse
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks import loading, traffic

_PACKAGES = ("aiohttp", "uvloop", "orjson", "jsonschema-rs", "ocp-gateway")
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
    parser.add_argument("what", nargs="*", help="loading, traffic; default both")
    parser.add_argument("--rounds", type=int, default=7, help="default: %(default)s")
    parser.add_argument(
        "--each", type=int, default=200, help="requests per connection and round (%(default)s)"
    )
    parser.add_argument(
        "--description", type=Path, default=_GITHUB, help="JSON description for `loading`"
    )
    options = parser.parse_args()
    unknown = set(options.what) - {"loading", "traffic"}
    if unknown:
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}")
    chosen = options.what or ["loading", "traffic"]
    print(_machine())
    if "loading" in chosen:
        if not options.description.exists():
            parser.error(f"{options.description} is not there; name one with --description")
        print("\n## Loading\n\n" + loading.measure(options.description, options.rounds))
    if "traffic" in chosen:
        print("\n## Traffic\n\n" + traffic.measure(options.rounds, options.each))
    return 0


if __name__ == "__main__":
    sys.exit(main())
