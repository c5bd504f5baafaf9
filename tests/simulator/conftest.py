import shutil
from collections.abc import Iterator

import pytest

from rig.mobile import Listener, serving, simulator

# Strangers' software runs on Node; without it there is nothing to try.
collect_ignore = [] if shutil.which("npm") else ["test_peers.py"]


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def url(listener: Listener) -> Iterator[str]:
    """A simulated network whose callbacks the listener hears."""
    with serving(listener.app) as base, simulator(base) as address:
        yield address
