"""Kernels equal their slow, obvious versions, compiled and as plain Python."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squashlib.kernels import fit_scan, peaks, semi_markov
from tests import reference

quick = settings(deadline=None, max_examples=25)


def both(kernel: Any) -> list[Callable[..., Any]]:
    return [kernel, kernel.py_func]


@quick
@given(st.binary(max_size=200))
def test_crc(data: bytes) -> None:
    for crc in both(fit_scan.crc16):
        with np.errstate(over="ignore"):
            assert crc(np.frombuffer(data, np.uint8), 0, len(data)) == reference.crc16(data)


@quick
@given(st.lists(st.integers(0, 5), max_size=30), st.integers(0, 4))
def test_peaks(levels: list[int], apart: int) -> None:
    envelope, times = np.array(levels, float), np.arange(len(levels), dtype=float)
    for pick in both(peaks.pick_peaks):
        assert pick(times, envelope, float(apart), 1.0).tolist() == reference.peaks(times, envelope, apart, 1.0)


def model(seed: int, T: int = 6, S: int = 3) -> tuple[Any, ...]:
    rng = np.random.default_rng(seed)
    cumulative = np.vstack((np.zeros(S), np.cumsum(rng.normal(size=(T, S)), axis=0)))
    duration = rng.normal(size=(T + 1, S))
    change = np.where(np.eye(S) > 0, -np.inf, rng.normal(size=(S, S)))
    ends = rng.normal(size=(T + 1, S))
    return cumulative, duration, np.array([T, 3, 2]), change, rng.normal(size=S), rng.normal(size=S), ends


@pytest.mark.parametrize("seed", range(6))
def test_best_path_is_the_best_of_all(seed: int) -> None:
    parts = model(seed)
    every = reference.all_paths(*parts)
    best = max(every, key=lambda path: every[path])
    expected = [state for state, length in best for _ in range(length)]
    for find in both(semi_markov.best_path):
        assert find(*parts).tolist() == expected


@pytest.mark.parametrize("seed", range(3))
def test_forward_sums_all_and_samples_follow_the_posterior(seed: int) -> None:
    cumulative, duration, longest, change, first, last, ends = model(seed)
    every = reference.all_paths(cumulative, duration, longest, change, first, last, ends)
    total = np.logaddexp.reduce(list(every.values()))
    score, entered = semi_markov.forward(cumulative, duration, longest, change, first, ends)
    assert np.logaddexp.reduce(score[-1] + last) == pytest.approx(total)
    uniform = np.random.default_rng(seed).random((20_000, 14))
    paths = semi_markov.sample_paths(cumulative, duration, longest, change, last, score, entered, uniform)
    for t in range(6):
        for s in range(3):
            weights = [w for p, w in every.items() if [x for x, d in p for _ in range(d)][t] == s]
            share = np.exp(np.logaddexp.reduce(weights) - total) if weights else 0.0
            assert (paths[:, t] == s).mean() == pytest.approx(share, abs=0.02)
