"""A process as the container image runs it, without a container daemon: Linux and root only.

A new root file system, read-only, with Python's libraries and the program in it and nothing else:
no shell and no tool. Two directories can be written to. The user is 65532, without capabilities
and without a way to get any.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_suffix(".sh")
USER = 65_532
STATE = Path("/var/lib/ocp-gateway")
CONFIG = Path("/etc/ocp-gateway")


def why_not() -> str | None:
    """What is missing here for a container of our own; None if nothing is."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "it takes root on Linux"
    if any(shutil.which(tool) is None for tool in ("unshare", "setpriv", "chroot")):
        return "it takes unshare, setpriv and chroot"
    tried = subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False)
    return "unshare is not permitted" if tried.returncode else None


def container_command(directory: Path, *arguments: str) -> list[str]:
    """Runs `ocp-gateway ARGUMENTS` in the container; signals reach the program itself.

    In `directory`, `config` and `state` are what the program sees as CONFIG and STATE.
    """
    for name in ("config", "state", "root"):
        (directory / name).mkdir(exist_ok=True)
    # As an emptyDir of Kubernetes with fsGroup: everybody's, in the group of the pod.
    os.chown(directory / "state", 0, USER)
    (directory / "state").chmod(0o2777)
    places = (directory, USER, sys.executable, ROOT, *_read())
    return ["unshare", "--mount", "sh", str(SCRIPT), *map(str, places), "--", *arguments]


def _read() -> tuple[Path, ...]:
    """Python, its libraries and the program."""
    needed = {Path(sys.base_prefix), Path(sys.prefix), ROOT / "gateway", Path("/usr/lib")}
    if (more := Path("/usr/lib64")).exists():
        needed.add(more)
    return tuple(sorted(needed))
