"""Over how many seconds a heart-rate sensor averages, read from the spectrum of what it sent.

Straps send the mean of a beat or a few, optical sensors one of up to ten seconds, and an average comes late by half of
its length: up to five seconds, a third of a rally. A mean over w seconds leaves the spectrum of a running average,
sin(pi f w) / (w sin(pi f)) squared, on whatever the heart did, with zeros at multiples of 1/w. Effort in steps that
the heart follows as a first-order system falls as f^-4, its own wander as f^-2, rounding is flat; the width whose
three parts fit best by Whittle's likelihood is the sensor's. Straps in public recordings come out at 1 to 4 s.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

WIDTHS_S = np.arange(1.0, 13.0)
USUAL_S = 5.0
SEGMENT_S = 256
SLOWEST = 2  # the first bins are drift
TRUST = 0.3  # of the likelihood: no sensor is quite a running mean
ROUNDS = 60


def averaging_s(times: Floats, bpm: Floats) -> float:
    """Mean of the posterior of the averaging width in seconds; `USUAL_S` from less than one and a half segments.

    Parameters
    ----------
    times, bpm
        Each (n,): seconds and beats per minute without NaN.
    """
    step_s = max(1.0, float(np.median(np.diff(times))))
    if times[-1] - times[0] < 1.5 * SEGMENT_S or step_s > 3:
        return USUAL_S
    hz, power, segments = spectrum(np.interp(np.arange(times[0], times[-1], step_s), times, bpm), step_s)
    if not power.any():
        return USUAL_S
    log = -TRUST * segments * misfit(hz[SLOWEST:], power[SLOWEST:])
    weight = np.exp(log - log.max())
    return float(weight @ WIDTHS_S / weight.sum())


def spectrum(x: Floats, step_s: float) -> tuple[Floats, Floats, int]:
    """Frequencies (Hz) and mean power over half-overlapping Hann segments without their lines (Welch, 1967)."""
    n = int(SEGMENT_S / step_s)
    pieces = np.lib.stride_tricks.sliding_window_view(x, n)[:: n // 2]
    line = np.arange(n) - (n - 1) / 2
    level = pieces - pieces.mean(axis=1, keepdims=True)
    level = level - np.outer(level @ line / (line @ line), line)
    power: Floats = (np.abs(np.fft.rfft(level * np.hanning(n), axis=1)) ** 2).mean(axis=0)
    return np.asarray(np.fft.rfftfreq(n, step_s)[1:-1]), np.asarray(power[1:-1]), len(pieces)


def misfit(hz: Floats, power: Floats) -> Floats:
    """Minus the log likelihood of a segment for each width, (W,): the parts' sizes are fitted by multiplying."""
    averaged = (np.sin(np.pi * hz * WIDTHS_S[:, None]) / (WIDTHS_S[:, None] * np.sin(np.pi * hz))) ** 2
    fall = (hz[0] / hz) ** 2
    parts = np.stack([averaged * fall**2, averaged * fall, np.ones_like(averaged)], axis=1)
    across = parts.transpose(0, 2, 1)
    size = np.full((len(WIDTHS_S), 1, 3), power.mean() / 3)
    for _ in range(ROUNDS):
        fitted = size @ parts
        size *= np.sqrt((power / fitted**2) @ across / ((1 / fitted) @ across))
        size = np.maximum(size, 1e-9 * power.mean())
    fitted = (size @ parts)[:, 0]
    return np.asarray((np.log(fitted) + power / fitted).sum(axis=1))
