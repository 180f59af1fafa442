"""Kernels equal their slow, obvious versions, compiled and as plain Python."""

import inspect
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squashlib.kernels import agreement, fit_motion, fit_scan, logistic, peaks, rhythm, semi_markov, shapes
from tests import reference
from tests.fuzz import seeds

quick = settings(deadline=None, max_examples=25)


def both(kernel: Any) -> list[Callable[..., Any]]:
    return [kernel, kernel.py_func if hasattr(kernel, "py_func") else partial(in_python, kernel)]


def in_python(work: Callable[..., Any], *arguments: Any) -> Any:
    """What NumPy around kernels makes with all kernels of its module as plain Python."""
    module = inspect.getmodule(work)
    with pytest.MonkeyPatch.context() as patch:
        for name, held in vars(module).copy().items():
            if hasattr(held, "py_func"):
                patch.setattr(module, name, held.py_func)
        return work(*arguments)


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


@quick
@given(st.integers(0, 40), st.integers(0, 6), st.integers(0, 4), st.integers(0, 99))
def test_magnitude(n: int, lead: int, smooth: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.where(rng.random((n, 3)) < 0.1, np.nan, rng.normal(0, 9, (n, 3))).astype(np.float32)
    for length in both(peaks.magnitude):
        assert length(values, lead, smooth) == pytest.approx(reference.magnitude(values, lead, smooth), abs=1e-9)


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


@pytest.mark.parametrize("seed", range(4))
def test_durations_that_are_passed_over_in_blocks_would_change_nothing(seed: int) -> None:
    cumulative, duration, _, change, first, last, ends = model(seed, T=90)
    longest = np.array([90, 40, 17])
    parts = (cumulative, duration, longest, change, first, last, ends)
    path = semi_markov.best_path(*parts)
    weight = reference.weight_of(path, cumulative, duration, change, first, last, ends)
    assert weight == pytest.approx(reference.ways_to_the_end(*parts, max), rel=1e-12)
    score, _ = semi_markov.forward(cumulative, duration, longest, change, first, ends)
    assert in_python(semi_markov.forward, *parts[:5], ends)[0] == pytest.approx(score)
    every = reference.ways_to_the_end(*parts, np.logaddexp.reduce)
    assert np.logaddexp.reduce(score[-1] + last) == pytest.approx(every, rel=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_forward_sums_all_and_samples_follow_the_posterior(seed: int) -> None:
    cumulative, duration, longest, change, first, last, ends = model(seed)
    every = reference.all_paths(cumulative, duration, longest, change, first, last, ends)
    total = np.logaddexp.reduce(list(every.values()))
    score, entered = semi_markov.forward(cumulative, duration, longest, change, first, ends)
    assert np.logaddexp.reduce(score[-1] + last) == pytest.approx(total)
    uniform = np.random.default_rng(seed).random((20_000, 14))
    held = (cumulative, duration, longest, change, last, ends, score, entered)
    paths = semi_markov.sample_paths(*held, uniform)
    assert np.array_equal(in_python(semi_markov.sample_paths, *held, uniform[:50]), paths[:50])
    for t in range(6):
        for s in range(3):
            weights = [w for p, w in every.items() if [x for x, d in p for _ in range(d)][t] == s]
            share = np.exp(np.logaddexp.reduce(weights) - total) if weights else 0.0
            assert (paths[:, t] == s).mean() == pytest.approx(share, abs=0.02)


@quick
@given(st.lists(st.floats(0, 9), min_size=1, max_size=30), st.integers(1, 20))
def test_half_widths(levels: list[float], reach: int) -> None:
    envelope, times = np.array(levels), np.arange(len(levels)) * 0.1
    at = np.arange(len(levels))
    expected = [reference.half_width(times, envelope, i, 0.1 * reach) for i in at]
    for width in both(shapes.half_widths):
        assert width(times, envelope, at, 0.1 * reach) == pytest.approx(expected)


@quick
@given(st.lists(st.floats(-9, 9), min_size=1, max_size=20), st.floats(-1, 0), st.floats(0.01, 1))
def test_largest_near(levels: list[float], low_s: float, high_s: float) -> None:
    values, times = np.abs(np.array(levels)), np.arange(len(levels)) * 0.25
    centres = np.array([0.3, 2.0])
    near = [[v for t, v in zip(times, values, strict=True) if c + low_s <= t < c + high_s] for c in centres]
    for largest in both(shapes.largest_near):
        assert largest(times, values, centres, low_s, high_s).tolist() == [max(held, default=0.0) for held in near]


def test_directions_and_jolts() -> None:
    rng = np.random.default_rng(0)
    vectors, times = rng.normal(size=(40, 3)).astype(np.float32), np.arange(40) * 0.02
    held = vectors[np.abs(times - 0.4) <= 0.1].astype(np.float64)
    mean = held.sum(axis=0)
    for of in both(shapes.directions):
        axes, straight = of(times, vectors, np.array([0.4, 9.0]), 0.1)
        assert axes[0] == pytest.approx(mean / np.linalg.norm(mean))
        assert straight == pytest.approx([np.linalg.norm(mean) / np.linalg.norm(held, axis=1).sum(), 0.0])
    vectors[7] = np.nan
    steps = np.linalg.norm(np.diff(vectors.astype(np.float64), axis=0), axis=1)
    for of in both(shapes.jolts):
        assert of(vectors) == pytest.approx(np.append(0.0, np.nan_to_num(steps)))


@pytest.mark.parametrize("seed", range(4))
def test_strokes_of_a_rally_are_weighed_over_all_choices(seed: int) -> None:
    rng = np.random.default_rng(seed)
    times = np.sort(rng.uniform(10, 30, 9))
    odds, starts, stops = rng.normal(0, 3, 9), np.array([10.0, 22.0]), np.array([20.0, 31.0])
    low, high = np.searchsorted(times, starts), np.searchsorted(times, stops)
    expected = np.zeros(9)
    for a, b, start, stop in zip(low, high, starts, stops, strict=True):
        weights = rhythm.gap_weight.py_func, rhythm.edge_weight.py_func
        expected[a:b] = reference.stroke_marginals(times[a:b], odds[a:b], start, stop, 2.88, *weights)
    for weigh in both(rhythm.stroke_marginals):
        assert weigh(times, odds, low, high, starts, stops, 2.88) == pytest.approx(expected, abs=1e-9)


@quick
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 6), st.floats(-1, 1)), max_size=8))
def test_disjoint_spans_of_most_worth(rows: list[tuple[int, int, float]]) -> None:
    spans = sorted((a + length, a, worth) for a, length, worth in rows)
    stops, starts = (np.array([row[i] for row in spans], np.int64) for i in (0, 1))
    worth = np.array([row[2] for row in spans], np.float64)
    for choose in both(agreement.best_disjoint):
        kept = choose(starts, stops, worth)
        assert worth[kept].sum() == pytest.approx(reference.best_disjoint(starts, stops, worth))
        held = sorted(zip(starts[kept], stops[kept], strict=True))
        assert all(a[1] <= b[0] for a, b in pairwise(held))


def test_how_many_samples_hold_a_span() -> None:
    samples = [[(0, 10), (20, 30)], [(1, 12), (24, 31)], []]
    flat = np.array([span for sample in samples for span in sample], np.int64)
    offsets = np.cumsum([0, *map(len, samples)])
    spans = [(0, 10), (20, 30), (50, 60)]
    best = [
        [max((reference.overlap(span, other) for other in sample), default=0.0) for sample in samples] for span in spans
    ]
    starts, stops = np.array(spans, np.int64).T.copy()
    for held in both(agreement.held_by):
        share, mean = held(starts, stops, flat[:, 0].copy(), flat[:, 1].copy(), offsets)
        assert share == pytest.approx([np.mean([x >= 0.5 for x in row]) for row in best])
        assert mean == pytest.approx([np.mean(row) for row in best])


@pytest.mark.parametrize("data", seeds.seeds().values(), ids=seeds.seeds())
def test_walk(data: bytes) -> None:
    if data[8:12] != b".FIT":
        return
    buffer, stop = np.frombuffer(data, np.uint8), len(data) - 2
    expected = reference.messages(data, 14, stop)
    none, none32, nowhere = np.empty(0, np.int64), np.empty(0, np.uint32), np.empty((0, 2), np.int64)
    for walk in both(fit_scan.walk):
        n, m, compressed, reached, why = walk(buffer, 14, stop, nowhere, none, none, none, none32, none32)
        assert (n, compressed, reached, why) == (len(expected), 0, stop, 0)
        places, held = np.empty((m, 2), np.int64), np.zeros(m, np.int64)
        walk(buffer, 14, stop, places, held, none, none, none32, none32)
        assert held.tolist() == [sum(definition == i for _, definition in expected) for i in range(m)]
        offsets, ranks = np.empty(n, np.uint32), np.empty(n, np.uint32)
        slots = np.concatenate(([0], np.cumsum(held)[:-1]))
        walk(buffer, 14, stop, places, none, np.arange(m), slots, offsets, ranks)
        assert [(int(offsets[i]), int(ranks[i])) for i in np.argsort(ranks)] == [
            (offset, rank) for rank, (offset, _) in enumerate(expected)
        ]


def test_compressed_times_count_on() -> None:
    for count_on in both(fit_scan.count_on):
        stamps = np.array([0xFFFFFFFF, 1000, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 2000, 0xFFFFFFFF], np.uint32)
        count_on(stamps, np.array([3, -1, 9, 8, -1, -1, 16], np.int8))
        assert stamps.tolist() == [0xFFFFFFFF, 1000, 1001, 1032, 0xFFFFFFFF, 2000, 2000]


@pytest.mark.parametrize(("code", "kind"), [(0, "u2"), (1, "i2"), (2, "f4")])
@pytest.mark.parametrize("order", ["<", ">"])
def test_numbers_of_motion(code: int, kind: str, order: str) -> None:
    raw = np.array([1, 7, 32000, 255, 0], np.float32)
    invalid = {0: 0xFFFF, 1: 0x7FFF, 2: np.nan}[code]
    data = np.append(raw, invalid).astype(order + kind).view(np.uint8)
    for numbers in both(fit_motion.numbers):
        out = np.empty(6, np.float32)
        numbers(data, code, order == ">", out)
        assert out[:5].tolist() == raw.tolist()
        assert np.isnan(out[5])


@pytest.mark.parametrize("turned", [False, True])
def test_samples_of_motion(turned: bool) -> None:
    axes = np.array([[5, 0xFFFF], [6, 0xFFFF], [7, 0xFFFF]], np.uint16)
    data = np.concatenate((np.array([0, 20], np.uint16).view(np.uint8), axes.view(np.uint8).ravel()))
    matrix = np.array([[0, 2, 0], [2, 0, 0], [0, 0, 2]] if turned else np.eye(3) * 2, np.float32)
    for samples in both(fit_motion.samples):
        times, values = np.empty(2), np.empty((2, 3), np.float32)
        n = samples(
            data, np.zeros(1, np.uint32), np.array([1500.0]), 0, np.array([4, 8, 12]), 2, 0, False, np.zeros(1, int),
            matrix[None], np.ones((1, 3), np.float32), times, values,
        )  # fmt: skip
        assert n == 1, "the second sample has no axis"
        assert times[0] == 1.5
        assert values[0].tolist() == ([10, 8, 12] if turned else [8, 10, 12])


def test_shares_and_agreement_of_paths() -> None:
    paths = np.random.default_rng(2).integers(0, 3, (7, 11)).astype(np.int8)
    share = np.stack([(paths == s).mean(axis=0) for s in range(4)], axis=1)
    for find in both(agreement.shares):
        assert np.array_equal(find(paths, 4), share)
    for find in both(agreement.agreements):
        assert find(paths, share) == pytest.approx([share[np.arange(11), path].sum() for path in paths])


def test_shifted_odds_sum_to_probabilities() -> None:
    odds = np.random.default_rng(3).normal(0, 40, 200)
    for find in both(logistic.sum_shifted):
        assert find(odds, 1.5) == pytest.approx((1 / (1 + np.exp(-np.clip(odds + 1.5, -50, 50)))).sum())


def test_two_kinds_are_those_that_were_mixed() -> None:
    rng = np.random.default_rng(4)
    x = np.concatenate((rng.normal(0, 1, 3000), rng.normal(6, 0.5, 1000)))
    for find in both(logistic.two_kinds):
        p, laws = find(x, 1.0, 5.0, 1.0, 0.12, 40)
        assert laws == pytest.approx([6, 0.5, 0, 1], abs=0.1)
        assert p[:3000].mean() == pytest.approx(0, abs=0.01)
        assert p[3000:].mean() == pytest.approx(1, abs=0.01)
