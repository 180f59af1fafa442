"""A match in a stamp: heart rate as a line over its rallies, as SVG that needs no script."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

WIDTH, HEIGHT, STEPS = 240, 48, 120


def sparkline(
    times_s: npt.NDArray[np.float64],
    bpm: npt.NDArray[np.float64],
    rallies: Iterable[tuple[float, float]],
    length_s: float,
    steps: int = STEPS,
) -> str:
    """An SVG of 240 by 48: each rally a bar, heart rate the highest and lowest of each of `steps`, gaps left out.

    Parameters
    ----------
    times_s, bpm
        Heart rate, (n,); NaN is missing.
    rallies
        Start and stop of each, seconds.
    length_s
        What the width stands for.
    """
    scale = WIDTH / max(length_s, 1.0)
    bars = "".join(
        f'<rect x="{start * scale:.1f}" y="34" width="{max(0.6, (stop - start) * scale):.1f}" height="14"/>'
        for start, stop in rallies
    )
    path = _path(times_s * scale, bpm, steps)
    line = (
        f'<path d="{path}" fill="none" stroke="#D55E00" stroke-width="1.6" vector-effect="non-scaling-stroke"/>'
        if path
        else ""
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none">'
        f'<g fill="#0072B2" fill-opacity="0.75">{bars}</g>{line}</svg>'
    )


def _path(x: npt.NDArray[np.float64], bpm: npt.NDArray[np.float64], steps: int) -> str:
    seen = ~np.isnan(bpm)
    x, bpm = x[seen], bpm[seen]
    if not len(x):
        return ""
    low, high = float(bpm.min()), float(bpm.max())
    height = 30 - 27 * (bpm - low) / max(high - low, 20.0)
    step = np.minimum((x / WIDTH * steps).astype(int), steps - 1)
    parts, last, gap = list[str](), -steps, steps // 40
    for one in np.unique(step):
        here = height[step == one]
        at = (one + 0.5) * WIDTH / steps
        parts.append(f"{'M' if one - last > gap else 'L'}{at:.1f} {here[0]:.1f}")
        parts.append(f"L{at:.1f} {here.min():.1f}L{at:.1f} {here[-1]:.1f}")
        last = int(one)
    return "".join(parts)
