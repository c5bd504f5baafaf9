from collections.abc import Iterator

import pytest

from gateway.channels.africastalking.client import Client
from rig.mobile import Listener, serving, simulator


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def network(listener: Listener) -> Iterator[str]:
    """Address of a simulated network."""
    with serving(listener.app) as base, simulator(base) as address:
        yield address


@pytest.fixture
def at(network: str) -> Client:
    """A client of the simulated network, more patient than any machine is slow."""
    return Client("sandbox", "secret-key", base_url=network, timeout=20)


@pytest.fixture
def hasty(network: str) -> Client:
    """One that does not wait long, for answers that come too late."""
    return Client("sandbox", "secret-key", base_url=network, timeout=0.5)
