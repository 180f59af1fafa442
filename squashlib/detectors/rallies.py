"""Rallies, games and all else that a session is made of.

Convention: a rally starts with the serve's contact and ends when the ball is dead, which labelled video puts 2.4 s
(1.1 to 4.0) after the last contact.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import xarray as xr

from squashlib.detectors.calibration import COUNT_LEVEL, calibration
from squashlib.detectors.doubts import doubts
from squashlib.detectors.edges import play_evidence, snapped
from squashlib.detectors.features import features, measured
from squashlib.detectors.framework import Context, Findings
from squashlib.detectors.games import final_scores, games_of, knocks, match_points
from squashlib.detectors.likeness import in_rhythm
from squashlib.detectors.model import STATES
from squashlib.detectors.presses import FEW, pressed
from squashlib.detectors.segmentation import Segmentation, likeness_of, runs, segment
from squashlib.detectors.span import around, span_of_play, whole, within
from squashlib.detectors.splits import split
from squashlib.detectors.training import KINDS, bout_segments, bouts, is_training, training_strokes
from squashlib.schema import WINNERS, time_attrs
from squashlib.scoring import Point

Floats = npt.NDArray[np.float64]

SURE = 0.5


@dataclass(frozen=True)
class RallyDetector:
    """Segments, rallies, games and each second's probabilities, from whatever the session holds."""

    name: ClassVar[str] = "rallies"
    version: ClassVar[str] = "1"
    requires: ClassVar[tuple[str, ...]] = ("swings", "motion")
    provides: ClassVar[tuple[str, ...]] = ("segments", "rallies", "games", "posterior", "likeness")

    def detect(self, context: Context) -> Findings:
        """Decode the semi-Markov model where there is play; with neither motion nor heart rate nothing is found."""
        session, swings = context.session, context.groups["swings"]
        span = span_of_play(session, swings, context.points)
        if span is None:
            return Findings(_nothing(session.attrs["start_time"], swings.sizes["swing"]))
        if span == whole(session):
            return self.decode(context)
        return Findings(around(self.decode(within(context, *span)).groups, context, *span))

    def decode(self, context: Context) -> Findings:
        """Findings of a session that is all play."""
        session, swings = context.session, context.groups["swings"]
        seen = features(session, swings, context.groups["motion"])
        start = session.attrs["start_time"]
        if not len(seen) or len(seen) < 60:
            return Findings(_nothing(start, swings.sizes["swing"]))
        found = segment(seen, context.points, swings)
        if seen.swings is not None and not context.points and is_training(session.attrs["sport"], swings, found.path):
            return Findings(_trained(start, swings))
        starts, stops, kinds = runs(found.path)
        if not len(found.starts):
            groups = _nothing(start, swings.sizes["swing"])
            groups["segments"] = _segment_group(start, starts, stops, kinds, found)
            return Findings(groups | {"posterior": _posterior_group(start, found)})
        learnt = likeness_of(swings, found.path, found.learnt)
        rally_starts, rally_stops = (x.astype(np.float64) for x in (found.starts, found.stops))
        if seen.fine is not None:
            times = swings["swing_time"].values
            strokes = times[in_rhythm(times, learnt.log_odds, rally_starts - 1.0, rally_stops + 1.0) > SURE]
            parts = split(
                play_evidence(seen.fine, strokes, rally_starts, rally_stops), strokes, rally_starts, rally_stops
            )
            rally_starts, rally_stops, of = parts
            found = replace(found, sure=found.sure[of])
            rally_starts, rally_stops = snapped(seen.fine, strokes, rally_starts, rally_stops, context.points)
        held = ~knocks(rally_starts, rally_stops, context.points, found.press_offset_s, found.sure)
        held &= measured(seen, rally_starts, rally_stops) | bool(context.points)
        if not held.any():
            return Findings(_nothing(start, swings.sizes["swing"]))
        rally_starts, rally_stops, sure = rally_starts[held], rally_stops[held], found.sure[held]
        scored_live = len(pressed(context.points)) > FEW
        known = calibration(motion=seen.swings is not None, points=scored_live)
        share = sure
        sure = known.confidence(sure)
        winner, scored = match_points(rally_stops, context.points, found.press_offset_s)
        games, number = games_of(rally_starts, rally_stops, scored, found, motion=seen.swings is not None)
        own = in_rhythm(swings["swing_time"].values, learnt.log_odds, rally_starts, rally_stops)
        rallies = _rally_group(start, session, swings, own, rally_starts, rally_stops, sure, number, winner)
        low, high = known.count_interval(len(rally_starts))
        rallies.attrs |= {"count_low": low, "count_high": high, "count_level": COUNT_LEVEL}
        if not scored_live:
            games = _doubted(rallies, games, own[own > SURE], share, context.athlete.hand)
        return Findings(
            {
                "segments": _segment_group(start, starts, stops, kinds, found),
                "rallies": rallies,
                "games": _game_group(start, games, context.points),
                "posterior": _posterior_group(start, found),
                "likeness": _likeness_group(learnt.log_odds, own),
            }
        )


def _doubted(
    rallies: xr.Dataset,
    games: list[tuple[float, float, float]],
    strokes: Floats,
    share: Floats,
    hand: str | None,
) -> list[tuple[float, float, float]]:
    """Games less sure by what speaks against play, and so the rallies, in place; their true number may be none."""
    pulse, struck = (rallies[f"rally_{name}"].values.astype(np.float64) for name in ("hr_mean", "strokes"))
    found = doubts(pulse, struck, strokes, share, hand)
    if found:
        play = float(np.prod([doubt.play for doubt in found]))
        rallies["rally_confidence"] *= np.float32(play)
        rallies.attrs |= {"count_low": 0, "doubts": [doubt.words for doubt in found]}
        games = [(start, stop, play * sure) for start, stop, sure in games]
    return games


def _rally_group(
    start: str, session: xr.Dataset, swings: xr.Dataset, own: Floats, starts: Floats, stops: Floats, sure: Floats,
    game: npt.NDArray[np.int64], winner: npt.NDArray[np.int8],
) -> xr.Dataset:  # fmt: skip
    mean, peak = _heart(session, starts, stops)
    hits = swings["swing_time"].values[own > SURE]
    strokes = (np.searchsorted(hits, stops) - np.searchsorted(hits, starts - 0.2)).astype(np.float64)
    if not {"gyro_time", "accel_time"} & set(map(str, session.sizes)):
        strokes = np.full(len(starts), np.nan)
    return xr.Dataset(
        {
            "rally_start": ("rally", starts, time_attrs(start, "serve")),
            "rally_stop": ("rally", stops, time_attrs(start, "ball dead")),
            "rally_confidence": ("rally", sure.astype(np.float32), {"units": "1"}),
            "rally_game": ("rally", game.astype(np.int16), {"long_name": "number of the game, from 1"}),
            "rally_strokes": ("rally", strokes.astype(np.float32), {"units": "1", "long_name": "own strokes"}),
            "rally_hr_mean": ("rally", mean.astype(np.float32), {"units": "min-1"}),
            "rally_hr_peak": ("rally", peak.astype(np.float32), {"units": "min-1"}),
            "rally_winner": ("rally", winner, {"flag_values": [0, 1, 2], "flag_meanings": " ".join(WINNERS)}),
        }
    )


def _heart(session: xr.Dataset, starts: Floats, stops: Floats) -> tuple[Floats, Floats]:
    """Mean during, and peak until eight seconds after each rally (heart rate lags), NaN without data."""
    mean, peak = np.full(len(starts), np.nan), np.full(len(starts), np.nan)
    if "heart_rate" not in session:
        return mean, peak
    times, bpm = session["hr_time"].values, session["heart_rate"].values
    seen = ~np.isnan(bpm)
    times, bpm = times[seen], bpm[seen]
    low, high, late = (np.searchsorted(times, x) for x in (starts, stops, stops + 8))
    held = high > low
    low, high, late = low[held], high[held], late[held]
    if len(low):
        sums = np.append(0.0, np.cumsum(bpm, dtype=np.float64))
        mean[held] = (sums[high] - sums[low]) / (high - low)
        peak[held] = np.maximum.reduceat(np.append(bpm, 0), np.column_stack((low, late)).ravel())[::2]
    return mean, peak


def _segment_group(
    start: str,
    starts: npt.NDArray[np.int64],
    stops: npt.NDArray[np.int64],
    kinds: npt.NDArray[np.int64],
    found: Segmentation,
) -> xr.Dataset:
    sums = np.vstack((np.zeros(len(STATES)), np.cumsum(found.shares, axis=0)))
    sure = (sums[stops, kinds] - sums[starts, kinds]) / np.maximum(stops - starts, 1)
    flags = {"flag_values": list(range(len(KINDS))), "flag_meanings": " ".join(KINDS)}
    return xr.Dataset(
        {
            "segment_start": ("segment", starts.astype(np.float64), time_attrs(start, "start of a segment")),
            "segment_stop": ("segment", stops.astype(np.float64), time_attrs(start, "end of a segment")),
            "segment_kind": ("segment", kinds.astype(np.int8), flags),
            "segment_confidence": ("segment", sure.astype(np.float32), {"units": "1"}),
        }
    )


def _game_group(start: str, games: list[tuple[float, float, float]], points: Sequence[Point]) -> xr.Dataset:
    table = np.array(games, np.float64).reshape(-1, 3)
    scores = final_scores(games, points)
    return xr.Dataset(
        {
            "game_start": ("game", table[:, 0], time_attrs(start, "first serve")),
            "game_stop": ("game", table[:, 1], time_attrs(start, "last ball dead")),
            "game_confidence": ("game", table[:, 2].astype(np.float32), {"units": "1"}),
            "game_score_me": ("game", scores[:, 0], {"units": "1"}),
            "game_score_opponent": ("game", scores[:, 1], {"units": "1"}),
        }
    )


def _posterior_group(start: str, found: Segmentation) -> xr.Dataset:
    shares = found.shares.astype(np.float32)
    times = np.arange(len(shares)) + 0.5
    coords = {"posterior_time": ("posterior_time", times, time_attrs(start, "middle of a second"))}
    attrs = {"units": "1", "long_name": "probability of each state", "states": " ".join(STATES)}
    return xr.Dataset({"probability": (("posterior_time", "state"), shares, attrs)}, coords)


def _likeness_group(odds: Floats, own: Floats) -> xr.Dataset:
    return xr.Dataset(
        {
            "log_odds": ("swing", odds.astype(np.float32), {"long_name": "of being a stroke if in play, by its looks"}),
            "in_rally": ("swing", own.astype(np.float32), {"long_name": "probability of being a stroke of its rally"}),
        }
    )


def _trained(start: str, swings: xr.Dataset) -> dict[str, xr.Dataset]:
    """Groups of a session that is no match: bouts, and the swings that are strokes."""
    hits = training_strokes(swings)
    groups = _nothing(start, len(hits))
    groups["rallies"].attrs["training"] = 1
    groups["segments"] = bout_segments(start, *bouts(swings["swing_time"].values[hits]))
    groups["likeness"] = _likeness_group(np.where(hits, 2.0, -2.0), np.where(hits, 0.8, 0.0))
    return groups


def _nothing(start: str, swings: int) -> dict[str, xr.Dataset]:
    none, whole = np.empty(0), np.empty(0, np.int64)
    empty = Segmentation(whole, np.empty((0, 0), np.int8), np.empty((0, len(STATES))), 3.0, whole, whole, none, None)
    floats = dict.fromkeys(
        ("rally_hr_mean", "rally_hr_peak", "rally_strokes", "rally_confidence"), np.empty(0, np.float32)
    )
    rallies = xr.Dataset(
        {
            "rally_start": ("rally", none, time_attrs(start, "serve")),
            "rally_stop": ("rally", none, time_attrs(start, "ball dead")),
            "rally_game": ("rally", np.empty(0, np.int16)),
            "rally_winner": ("rally", np.empty(0, np.int8)),
            **{name: ("rally", values) for name, values in floats.items()},
        }
    )
    posterior = xr.Dataset({"probability": (("posterior_time", "state"), np.empty((0, len(STATES)), np.float32))})
    segments = _segment_group(start, whole, whole, whole, empty)
    return {
        "segments": segments,
        "rallies": rallies,
        "games": _game_group(start, [], ()),
        "posterior": posterior,
        "likeness": _likeness_group(np.zeros(swings), np.zeros(swings)),
    }
