"""One-to-one matching of what was found with what was there."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Pairs = npt.NDArray[np.intp]


def iou(truth: Array, found: Array) -> Array:
    """Overlap over union of each truth with each found span.

    Parameters
    ----------
    truth, found
        Start and stop in seconds, shape (n, 2) and (m, 2).

    Returns
    -------
    Shape (n, m), 0 to 1.
    """
    low = np.maximum(truth[:, None, 0], found[None, :, 0])
    high = np.minimum(truth[:, None, 1], found[None, :, 1])
    both = np.maximum(0.0, high - low)
    either = (truth[:, 1] - truth[:, 0])[:, None] + (found[:, 1] - found[:, 0])[None, :] - both
    return np.asarray(both / np.where(either > 0, either, 1.0), np.float64)


def match_spans(truth: Array, found: Array, at_least: float) -> Pairs:
    """Pairs of spans with IoU of at least `at_least`: as many as possible, and of those the best overlapping.

    Returns
    -------
    Indices into truth and found, shape (k, 2), in order of truth.
    """
    from scipy.optimize import linear_sum_assignment

    overlap = iou(truth, found)
    # A pair more always outweighs any overlap: all overlaps together stay below one.
    worth = np.where(overlap >= at_least, 1.0 + overlap / (1.0 + min(overlap.shape)), 0.0)
    rows, columns = linear_sum_assignment(worth, maximize=True)
    kept = worth[rows, columns] > 0
    return np.column_stack((rows[kept], columns[kept])).astype(np.intp)


def match_times(truth: Array, found: Array, within_s: float) -> Pairs:
    """As many pairs as possible of sorted times no further apart than `within_s`.

    Taking the earliest partner that is left is a maximum matching, since every time's partners are a run.

    Returns
    -------
    Indices into truth and found, shape (k, 2), in order.
    """
    pairs: list[tuple[int, int]] = []
    i = j = 0
    there, seen = truth.tolist(), found.tolist()
    while i < len(there) and j < len(seen):
        if abs(there[i] - seen[j]) <= within_s:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif there[i] < seen[j]:
            i += 1
        else:
            j += 1
    return np.array(pairs, np.intp).reshape(-1, 2)


def merges(truth: Array, found: Array) -> int:
    """How many found spans hold more than half of each of two or more truths."""
    low = np.maximum(truth[:, None, 0], found[None, :, 0])
    high = np.minimum(truth[:, None, 1], found[None, :, 1])
    held = np.maximum(0.0, high - low) > 0.5 * (truth[:, 1] - truth[:, 0])[:, None]
    return int((held.sum(axis=0) >= 2).sum())


def splits(truth: Array, found: Array) -> int:
    """How many truths were found in two or more pieces, each more than half inside."""
    return merges(found, truth)
