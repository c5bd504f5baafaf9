"""Become another program that ends when its parent does: `tether.py PARENT_PID PROGRAM ARG...`.

Run by path with `python -I -S`, so it imports the standard library only and starts in
milliseconds. On Linux the kernel sends SIGTERM as soon as the parent is gone, even by SIGKILL
(prctl(2), PR_SET_PDEATHSIG; it outlives execve). Elsewhere a killed supervisor leaves its
children to be stopped by hand.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def tie(parent: int) -> None:
    """Tie this process to its parent. Raises: SystemExit when that is gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before the line above could take effect
        sys.exit(1)


def main() -> None:
    parent, *command = sys.argv[1:]
    tie(int(parent))
    os.execvp(command[0], command)  # noqa: S606 (no shell wanted)


if __name__ == "__main__":
    main()
