"""A whole house with the simulated network around it, for tests that break parts of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rig.storm.site import Site


@contextmanager
def opened(folder: Path, kind: str, **settings: Any) -> Iterator[Site]:
    """The site, open; at the end it is closed and what its processes said is printed.

    Raises: Absent when there is no server of that kind to be had.
    """
    site = Site(folder, kind, **settings)
    try:
        site.open()
        yield site
    finally:
        site.close()
        sys.stdout.write(site.house.output)
