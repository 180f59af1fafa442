"""Whether a confidence of 0.8 is right eight times in ten."""

from typing import Any

import numpy as np
import numpy.typing as npt

BINS = 10


def reliability(confidence: npt.NDArray[np.float64], correct: npt.NDArray[np.bool_]) -> list[dict[str, Any]]:
    """The reliability diagram: for each tenth of confidence that occurs, how many, the mean and the share right."""
    which = np.clip((confidence * BINS).astype(int), 0, BINS - 1)
    rows = []
    for k in np.unique(which).tolist():
        inside = which == k
        rows.append(
            {
                "low": k / BINS,
                "high": (k + 1) / BINS,
                "count": int(inside.sum()),
                "confidence": round(float(confidence[inside].mean()), 4),
                "right": round(float(correct[inside].mean()), 4),
            }
        )
    return rows


def calibration_error(confidence: npt.NDArray[np.float64], correct: npt.NDArray[np.bool_]) -> float:
    """Expected calibration error: mean distance of confidence from share right, each bin weighted by its count.

    Returns
    -------
    0 (calibrated) to 1; NaN where nothing was found.
    """
    if not len(correct):
        return float("nan")
    apart = sum(row["count"] * abs(row["confidence"] - row["right"]) for row in reliability(confidence, correct))
    return float(apart) / len(correct)
