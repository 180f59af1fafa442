"""What the heart did: mean in play and at rest, zones, load, recovery and drift."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import xarray as xr

from squashlib.athlete import Athlete
from squashlib.confidence import student90
from squashlib.detectors.framework import Context, Findings, MetricResult
from squashlib.detectors.match import NO_PLAY, unknown
from squashlib.session import start_of

Floats = npt.NDArray[np.float64]

NO_HEART = "the recording holds no heart rate"
ZONES = (0.5, 0.6, 0.7, 0.8, 0.9)  # lower bounds as shares of the maximum
HELD_S = 10.0  # a sample holds until the next one, at most this long
RECOVERY_S = 60.0

DRIFTS_S, MOST_DRIFT = 600.0, 60.0


@dataclass(frozen=True)
class HeartDetector:
    """Heart-rate figures; those that need the athlete's maximum say where it came from."""

    name: ClassVar[str] = "heart"
    version: ClassVar[str] = "1"
    requires: ClassVar[tuple[str, ...]] = ("rallies", "games")
    provides: ClassVar[tuple[str, ...]] = ()

    def detect(self, context: Context) -> Findings:
        """Weigh each sample by the time it holds; gaps count for nothing."""
        times, bpm, held = samples(context.session)
        if len(times) < 10:
            return Findings({}, _nothing())
        top, source, sure = maximum(context, bpm)
        metrics = {
            **_means(context, times, bpm, held),
            **_zones(bpm, held, top, source, sure, context.athlete),
            **_loads(bpm, held, top, source, sure, context.athlete),
            "hr_recovery_60s": _recovery(context, times, bpm),
            "hr_drift": _drift(context, times, bpm),
        }
        return Findings({}, metrics)


def samples(session: xr.Dataset) -> tuple[Floats, Floats, Floats]:
    """Times (s), heart rate (bpm) and how long each sample holds (s), without missing ones; (n,) each."""
    if "heart_rate" not in session:
        return np.empty(0), np.empty(0), np.empty(0)
    times, bpm = session["hr_time"].values, session["heart_rate"].values.astype(np.float64)
    seen = ~np.isnan(bpm)
    times, bpm = times[seen], bpm[seen]
    held = np.minimum(np.diff(times, append=times[-1:] + 1.0), HELD_S) if len(times) else np.empty(0)
    return times, bpm, held


def maximum(context: Context, bpm: Floats) -> tuple[float, str, float]:
    """Maximum heart rate, where it came from, and how far to trust it.

    Set by the athlete; or the device's; or 208 - 0.7 age (Tanaka 2001, SD about 10 bpm); or the highest held for a
    while in this session, which is too low unless the match was all-out.
    """
    athlete = context.athlete
    if athlete.hr_max_bpm:
        return athlete.hr_max_bpm, "athlete's setting", 0.95
    device = context.session.attrs.get("time_in_zone", {}).get("max_heart_rate")
    if device:
        return float(device), "device's setting", 0.9
    if athlete.birth_year:
        return 208 - 0.7 * (start_of(context.session).year - athlete.birth_year), "208 - 0.7 age", 0.6
    return float(np.quantile(bpm, 0.995)), "highest of this session, at least", 0.3


def _means(context: Context, times: Floats, bpm: Floats, held: Floats) -> dict[str, MetricResult]:
    rallies, games = context.groups["rallies"], context.groups["games"]
    if not rallies.sizes["rally"]:
        return {name: unknown("min-1", NO_PLAY) for name in ("avg_playing_heart_rate", "avg_rest_heart_rate")}
    sure = float(rallies["rally_confidence"].values.mean())
    playing = _inside(times, rallies["rally_start"].values, rallies["rally_stop"].values)
    resting = _inside(times, games["game_start"].values, games["game_stop"].values) & ~playing
    found = {}
    for name, where in (("avg_playing_heart_rate", playing), ("avg_rest_heart_rate", resting)):
        if where.any():
            mean = float(np.average(bpm[where], weights=held[where]))
            found[name] = MetricResult(mean, "min-1", sure, {"samples": int(where.sum())})
        else:
            found[name] = unknown("min-1", "no heart rate was measured in that time")
    return found


def _inside(times: Floats, starts: Floats, stops: Floats) -> npt.NDArray[np.bool_]:
    where = np.searchsorted(starts, times, side="right") - 1
    return np.asarray((where >= 0) & (times < stops[np.maximum(where, 0)]))


def zone_of(bpm: Floats, top: float) -> npt.NDArray[np.intp]:
    """Zone 1 to 5 by share of the maximum (50, 60, 70, 80, 90 %), 0 below."""
    return np.searchsorted(np.array(ZONES) * top, bpm, side="right")


def _zones(
    bpm: Floats, held: Floats, top: float, source: str, sure: float, athlete: Athlete
) -> dict[str, MetricResult]:
    zones = zone_of(bpm, top)
    found = {}
    for zone in range(1, 6):
        meta: dict[str, Any] = {"hr_max_bpm": round(top, 1), "hr_max_from": source, "method": "%HRmax"}
        if athlete.hr_rest_bpm:
            low = athlete.hr_rest_bpm
            reserve = np.searchsorted(low + np.array(ZONES) * (top - low), bpm, side="right")
            meta["seconds_by_heart_rate_reserve"] = round(float(held[reserve == zone].sum()), 1)
        found[f"time_in_zone_{zone}"] = MetricResult(round(float(held[zones == zone].sum()), 1), "s", sure, meta)
    return found


def _loads(
    bpm: Floats, held: Floats, top: float, source: str, sure: float, athlete: Athlete
) -> dict[str, MetricResult]:
    """Edwards' sum of zone number times minutes, and Banister's TRIMP (Banister 1991; needs the resting heart rate)."""
    edwards = MetricResult(
        float((zone_of(bpm, top) * held).sum() / 60), "1", sure, {"method": "Edwards", "hr_max_from": source}
    )
    found = {"training_load": edwards, "training_load_edwards": edwards}
    if athlete.hr_rest_bpm is None:
        found["training_load_banister"] = unknown("1", "the athlete's resting heart rate is not set")
        return found
    reserve = np.clip((bpm - athlete.hr_rest_bpm) / (top - athlete.hr_rest_bpm), 0, 1)
    a, b = (0.86, 1.67) if athlete.sex == "female" else (0.64, 1.92)
    trimp = float((held / 60 * reserve * a * np.exp(b * reserve)).sum())
    meta = {"method": "Banister", "hr_max_from": source, "sex": athlete.sex or "unknown, male weights used"}
    found["training_load_banister"] = MetricResult(trimp, "1", sure * (1.0 if athlete.sex else 0.8), meta)
    return found


def _recovery(context: Context, times: Floats, bpm: Floats) -> MetricResult:
    """Median fall in the minute after a game's end."""
    ends = context.groups["games"]["game_stop"].values
    drops = []
    for end in ends:
        peak = bpm[(times >= end - 10) & (times <= end + 10)]
        after = bpm[(times >= end + RECOVERY_S - 5) & (times <= end + RECOVERY_S + 5)]
        if len(peak) and len(after):
            drops.append(float(peak.max() - after.mean()))
    if not drops:
        return unknown("min-1", "no game end with a minute of heart rate after it")
    # A few falls tell little, and each game's end is known only so well.
    sure = float(context.groups["games"]["game_confidence"].values.mean()) * (1 - 0.5 / len(drops))
    meta: dict[str, Any] = {"by_game": [round(drop, 1) for drop in drops]}
    if len(drops) > 2:
        half = student90(len(drops) - 1) * float(np.std(drops, ddof=1)) / np.sqrt(len(drops))
        middle = float(np.mean(drops))
        meta["interval"] = [round(middle - half, 1), round(middle + half, 1)]
    return MetricResult(float(np.median(drops)), "min-1", sure, meta)


def _drift(context: Context, times: Floats, bpm: Floats) -> MetricResult:
    """Slope of the heart rate in rallies over the match, least squares, with its 95 % interval."""
    rallies = context.groups["rallies"]
    mean, when = rallies["rally_hr_mean"].values.astype(np.float64), rallies["rally_start"].values / 3600
    good = ~np.isnan(mean)
    if good.sum() < 10:
        return unknown("min-1 h-1", "fewer than ten rallies with heart rate")
    x, y = when[good] - when[good].mean(), mean[good] - mean[good].mean()
    slope = float((x * y).sum() / (x * x).sum())
    error = float(np.sqrt(((y - slope * x) ** 2).sum() / (len(x) - 2) / (x * x).sum()))
    sure = float(rallies["rally_confidence"].values.mean())
    if np.ptp(when[good]) * 3600 < DRIFTS_S:
        return unknown("min-1 h-1", "less than ten minutes of rallies")
    if abs(slope) > MOST_DRIFT:
        return unknown("min-1 h-1", f"a slope of {slope:.0f} is no drift: a heart drifts by 5 to 10 bpm in a match")
    return MetricResult(slope, "min-1 h-1", sure, {"interval": [slope - 1.96 * error, slope + 1.96 * error]})


def _nothing() -> dict[str, MetricResult]:
    names = {
        "avg_playing_heart_rate": "min-1",
        "avg_rest_heart_rate": "min-1",
        "hr_recovery_60s": "min-1",
        "hr_drift": "min-1 h-1",
    }
    names |= {f"time_in_zone_{zone}": "s" for zone in range(1, 6)}
    names |= dict.fromkeys(("training_load", "training_load_edwards", "training_load_banister"), "1")
    return {name: unknown(unit, NO_HEART) for name, unit in names.items()}
