import numpy as np
import pytest


@pytest.fixture(autouse=True)
def strict_numpy():
    """Overflow, division by zero and invalid operations are errors unless the code says otherwise."""
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield
