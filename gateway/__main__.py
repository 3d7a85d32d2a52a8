"""The entry point: `ocp-gateway`, and `python -m gateway`."""

import sys

if __name__ == "__main__" and not sys.flags.safe_path:
    # `python -m` puts the working directory first, where a stray yaml.py would be imported.
    del sys.path[0]

from gateway.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
