"""The rallies to report: of all that sampled paths hold, the disjoint ones that the samples are expected to hold most.

The single most probable path saves boundaries wherever the data say little, and so counts too few rallies; a sampled
path has the right number, but of doubtful ones a random few. What is wanted is many rallies that are right and few
that are wrong, so each candidate counts for its expected overlap with a sampled rally less what a wrong one costs.
"""

import numpy as np
import numpy.typing as npt

from squashlib.detectors.model import IDLE, RALLY, REST

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: What a chosen rally costs in units of what chosen ones are worth: at half of it no further one raises F1.
COST = 0.4


def choose(samples: npt.NDArray[np.int8]) -> tuple[Ints, Ints, Floats]:
    """Starts, stops (s) and probabilities of the rallies of sampled paths (N, T), each (r,)."""
    from squashlib.kernels.agreement import best_disjoint, held_by

    starts, stops, offsets = rallies_of(samples)
    high, low = np.divmod(np.unique(stops * (samples.shape[-1] + 1) + starts), samples.shape[-1] + 1)
    sure, overlap = held_by(low, high, starts, stops, offsets)
    kept, cost = np.zeros(len(low), bool), COST
    for _ in range(3):
        kept = best_disjoint(low, high, overlap - cost)
        cost = COST * float(overlap[kept].mean()) if kept.any() else 0.0
    return low[kept], high[kept], sure[kept]


def rallies_of(samples: npt.NDArray[np.int8]) -> tuple[Ints, Ints, Ints]:
    """Starts and stops of the rallies of all paths in turn, and where each path's begin, (N+1,)."""
    paths, width = len(samples), samples.shape[1] + 1
    playing = np.zeros((paths, width), bool)  # each path's last column is empty, so that rallies end with their path
    playing[:, :-1] = samples == RALLY
    flat = np.append(False, playing.ravel())
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    rows, starts = np.divmod(edges[::2], width)
    return starts, edges[1::2] - rows * width, np.searchsorted(rows, np.arange(paths + 1))


def with_rallies(path: Ints, starts: Ints, stops: Ints) -> Ints:
    """A path whose rallies are the chosen ones; where it had others, the wearer rests."""
    out = np.where(path == RALLY, REST, path)
    for a, b in zip(starts, stops, strict=True):
        out[a:b] = RALLY
    # a rest at the very start or end is no rest between rallies
    playing = np.flatnonzero(out == RALLY)
    if len(playing):
        for edge in (out[: playing[0]], out[playing[-1] + 1 :]):
            edge[edge == REST] = IDLE
    return np.asarray(out)
