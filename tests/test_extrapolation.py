"""Extrapolation to a fixed point."""

import numpy as np
import pytest

from ehbilayer.numerics.extrapolation import Extrapolation


@pytest.mark.parametrize("unknowns", [1, 3, 8])
def test_a_linear_problem_ends_after_as_many_steps_as_it_has_unknowns(unknowns: int) -> None:
    rng = np.random.default_rng(1)
    m, b = rng.standard_normal((unknowns, unknowns)) * 0.7, rng.standard_normal(unknowns)
    exact, x, next_of = np.linalg.solve(np.eye(unknowns) - m, b), np.zeros(unknowns), Extrapolation(unknowns + 1)
    for _ in range(unknowns + 1):
        new = m @ x + b
        x = next_of((new,), new - x)[0]
    assert x == pytest.approx(exact, abs=1e-6)
    assert np.abs(m @ x + b - x).max() < 1e-6


def test_errors_along_one_line_and_none_at_all() -> None:
    next_of, x = Extrapolation(4), np.zeros(50)
    for _ in range(12):
        error = 2.0 * (1 - np.tanh(x.mean())) - x  # all alike, not linear
        x = next_of((x + error,), error)[0]
    assert np.abs(2.0 * (1 - np.tanh(x.mean())) - x).max() < 1e-12
    assert np.array_equal(next_of((x,), 0 * x)[0], next_of((x,), 0 * x)[0])


def test_it_goes_back_no_farther_than_it_is_told() -> None:
    next_of = Extrapolation(2)
    for value in (5.0, 3.0, 1.0):
        found = next_of((np.array([value]),), np.array([value]))
    assert found[0] == pytest.approx([0.0], abs=1e-12)
    assert len(next_of._points) == len(next_of._errors) == 2
