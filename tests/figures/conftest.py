"""What the tests of figures share."""

import pytest

from tests.figures.made import Made, made


@pytest.fixture(params=[1, 2, 3], ids=lambda p: f"p={p}")
def results(request) -> Made:
    """Results with one, two and three parameters."""
    return made(request.param)
