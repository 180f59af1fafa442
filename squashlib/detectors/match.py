"""Figures of a match from its events: lengths, counts, work and rest, strokes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from squashlib.detectors.framework import Context, Findings, MetricResult

NO_PLAY = "no rally was found in the recording"
TRAINED = "this was training, not a match: bouts and strokes are reported, and no rallies or games forced on them"
NO_MOTION = "the recording holds no motion, so strokes cannot be seen"


def unknown(unit: str, reason: str) -> MetricResult:
    """A figure that the data cannot tell."""
    return MetricResult(None, unit, 0.0, {"reason": reason})


@dataclass(frozen=True)
class MatchDetector:
    """Lengths, counts, ratios and strokes; each with the confidence of the events that it rests on."""

    name: ClassVar[str] = "match"
    version: ClassVar[str] = "1"
    requires: ClassVar[tuple[str, ...]] = ("segments", "rallies", "games", "strokes")
    provides: ClassVar[tuple[str, ...]] = ()

    def detect(self, context: Context) -> Findings:
        """Read the groups; a session without rallies gives nulls with the reason."""
        groups = context.groups
        metrics = {
            "total_session_duration": MetricResult(float(context.session.attrs["duration_s"]), "s", 1.0),
            **_edges(groups["segments"]),
            **(_play(groups) if groups["rallies"].sizes["rally"] else _no_play(groups)),
            **_strokes(context.session, groups),
        }
        return Findings({}, metrics)


def kind_spans(segments: xr.Dataset, kind: str) -> list[tuple[float, float, float]]:
    """Start, stop and confidence of every segment of a kind."""
    kinds = str(segments["segment_kind"].attrs["flag_meanings"]).split()
    held = segments["segment_kind"].values == kinds.index(kind)
    columns = (segments[f"segment_{name}"].values[held].tolist() for name in ("start", "stop", "confidence"))
    return [(a, b, c) for a, b, c in zip(*columns, strict=True)]


def _edges(segments: xr.Dataset) -> dict[str, MetricResult]:
    found = {}
    for name, kind in (("warm_up_length", "warmup"), ("cool_down_length", "cooldown")):
        spans = kind_spans(segments, kind)
        if spans:
            length = sum(stop - start for start, stop, _ in spans)
            found[name] = MetricResult(length, "s", float(np.mean([c for _, _, c in spans])))
        else:
            found[name] = unknown(
                "s", f"no {kind.replace('warmup', 'warm-up').replace('cooldown', 'cool-down')} was found"
            )
    return found


def _play(groups: Mapping[str, xr.Dataset]) -> dict[str, MetricResult]:
    rallies, games = groups["rallies"], groups["games"]
    lengths, sures = rallies["rally_stop"].values - rallies["rally_start"].values, rallies["rally_confidence"].values
    sure = float(sures.mean())
    games_sure = float(games["game_confidence"].values.mean())
    playing = float(lengths.sum())
    began, ended = games["game_start"].values, games["game_stop"].values
    span = float((ended - began).sum())
    breaks = (began[1:] - ended[:-1]).tolist()
    number = rallies["rally_game"].values
    per_game = [int((number == g + 1).sum()) for g in range(len(began))]
    interval = {name: rallies.attrs.get(name) for name in ("count_low", "count_high", "count_level")}
    longest = int(lengths.argmax())
    resting = max(0.0, span - playing)
    return {
        "number_of_games": MetricResult(games.sizes["game"], "1", games_sure),
        "number_of_rallies": MetricResult(rallies.sizes["rally"], "1", sure, interval),
        "total_playing_time": MetricResult(
            playing, "s", sure, {"ball_in_play_share": playing / span if span else None}
        ),
        "total_rest_time": MetricResult(resting, "s", sure, {"meaning": "between rallies within games"}),
        "longest_rally_length": MetricResult(
            float(lengths[longest]), "s", float(sures[longest]), {"rally": longest + 1}
        ),
        "rallies_per_game": MetricResult(per_game, "1", min(sure, games_sure)),
        "rest_between_games": (
            MetricResult([float(b) for b in breaks], "s", games_sure)
            if breaks
            else unknown("s", "one game has no break between games")
        ),
        "work_rest_ratio": (
            MetricResult(playing / resting, "1", sure)
            if resting > 0
            else unknown("1", "no rest between rallies was found")
        ),
    }


def _no_play(groups: Mapping[str, xr.Dataset]) -> dict[str, MetricResult]:
    units = {"total_playing_time": "s", "total_rest_time": "s", "longest_rally_length": "s", "rest_between_games": "s"}
    names = ("number_of_games", "number_of_rallies", *units, "rallies_per_game", "work_rest_ratio")
    if not groups["rallies"].attrs.get("training"):
        return {name: unknown(units.get(name, "1"), NO_PLAY) for name in names}
    spans = kind_spans(groups["segments"], "bout")
    trained = MetricResult(
        sum(b - a for a, b, _ in spans), "s", 0.8, {"meaning": "bouts of hitting", "bouts": len(spans)}
    )
    return {name: unknown(units.get(name, "1"), TRAINED) for name in names} | {"total_playing_time": trained}


def _strokes(session: xr.Dataset, groups: Mapping[str, xr.Dataset]) -> dict[str, MetricResult]:
    if not {"accel_time", "gyro_time"} & set(map(str, session.sizes)):
        names = (("shots_detected", "1"), ("strokes_per_rally", "1"), ("stroke_rate", "min-1"))
        return {name: unknown(unit, NO_MOTION) for name, unit in names}
    strokes, rallies = groups["strokes"], groups["rallies"]
    sure = float(strokes["stroke_confidence"].values.mean()) if strokes.sizes["stroke"] else 0.5
    found: dict[str, MetricResult] = {
        "shots_detected": MetricResult(strokes.sizes["stroke"], "1", sure, _sides(strokes))
    }
    if not rallies.sizes["rally"]:
        why = TRAINED if rallies.attrs.get("training") else NO_PLAY
        return found | {"strokes_per_rally": unknown("1", why), "stroke_rate": unknown("min-1", why)}
    lengths = float((rallies["rally_stop"].values - rallies["rally_start"].values).sum())
    own = float(np.nansum(rallies["rally_strokes"].values))
    return found | {
        "strokes_per_rally": MetricResult(own / rallies.sizes["rally"], "1", sure, {"meaning": "own strokes"}),
        "stroke_rate": MetricResult(
            60 * own / lengths, "min-1", sure, {"meaning": "own strokes while the ball is in play"}
        ),
    }


def _sides(strokes: xr.Dataset) -> dict[str, Any]:
    codes = strokes["stroke_side"].values
    if not (codes > 0).any():
        return {"sides": None, "sides_reason": "the motion does not tell forehand from backhand"}
    return {"sides": {"forehand": int((codes == 1).sum()), "backhand": int((codes == 2).sum())}}
