import pytest

from inference.model import Model


@pytest.fixture(scope="session")
def model() -> Model:
    return Model.load()
