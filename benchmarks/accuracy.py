"""Detection against truth, one line per sensor set: `make accuracy [ARGS="--matches 8 --save"]`.

Three kinds of truth:

- 40 simulated matches (club, recreational, elite; a player each) with seeds from 90000, which no detector is tuned on;
- the real labels of five squash videos: rallies, rests and hits happened when the labels say, only what a watch would
  have measured of them is simulated, each video seen from both players' wrists;
- real tennis, 100 Hz at the wrist: strokes alone; a detection within 0.25 s of a labelled run of samples matches it.

Two lines of ceilings say what one wrist can tell at best: own contacts known exactly, nothing of the opponent's.

Figures are pooled over sessions; in brackets the 95 % interval by bootstrap over sessions. Published
strokes of unseen players: F1 0.86 at the other wrist (Silent Impact, 2024), 0.94-0.96 at the racket's (Ganser, 2021).
"""

import argparse
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from squashlib.evaluate import Comparison, compare, summarise
from squashlib.evaluate.matching import iou
from squashlib.simulate.script import Script, write_script

FIRST_SEED = 90_000
MATCHES = 40
LEVELS = ("club", "recreational", "club", "elite")
MOTION = ("heart_rate", "acceleration", "angular_velocity")


@dataclass(frozen=True)
class SensorSet:
    """One line of the table: what the watch has, and the figures to reach."""

    name: str
    sensors: tuple[str, ...] = MOTION
    rates_hz: tuple[float, ...] = (50.0,)
    hand: str = "playing"
    points: bool = False
    targets: dict[str, float] = field(default_factory=dict)


def targets(half: float, three: float | None, edge_s: float, games: float, stroke: float | None) -> dict[str, float]:
    wanted = {"rally_f1_iou_0.5": half, "rally_f1_iou_0.75": three, "boundary_error_s": edge_s}
    wanted |= {"games_f1_iou_0.8": games, "stroke_f1_within_0.25_s": stroke}
    return {name: value for name, value in wanted.items() if value is not None}


HEART = ("heart_rate",)
SETS = (
    SensorSet("racket wrist, 25-100 Hz", rates_hz=(25, 50, 100), targets=targets(0.97, 0.90, 0.8, 0.99, 0.95)),
    SensorSet("racket wrist, 10 Hz", rates_hz=(10,), targets=targets(0.95, 0.85, 1.0, 0.99, 0.90)),
    SensorSet("racket wrist, no gyroscope", sensors=("heart_rate", "acceleration")),
    SensorSet("other wrist", hand="other", targets=targets(0.93, 0.80, 1.2, 0.98, 0.82)),
    SensorSet("racket wrist + points", points=True),
    SensorSet("heart rate + points", sensors=HEART, points=True, targets=targets(0.93, 0.65, 2.0, 0.98, None)),
    SensorSet("heart rate alone", sensors=HEART, targets=targets(0.70, None, 3.0, 0.95, None)),
)


def held_out(number: int) -> Script:
    """The script of one held-out match."""
    return write_script(np.random.default_rng(FIRST_SEED + number), LEVELS[number % len(LEVELS)])


def ceiling(scripts: list[Script], server_known: bool) -> dict[str, Any]:
    """What perfect strokes of one wrist give: rallies from the first own contact to the last.

    A receiver's rally began one usual interval before the first own contact; who serves is known from the serve's
    motion or the score, or it is not and all starts are moved alike. Every end is moved alike, since the wrist cannot
    know whether the opponent hit once more and when the ball was dead. Both shifts are the medians of these very
    rallies. A rally without own contact cannot be seen.
    """
    rallies = [(r, [t for t, mine in r.contacts if mine]) for script in scripts for r in script.rallies]
    seen = [(r, own) for r, own in rallies if own]
    truth = np.array([(r.start_s, r.stop_s) for r, _ in seen])
    contacts = np.array([(own[0], own[-1]) for _, own in seen])
    late = contacts[:, 0] - truth[:, 0]
    receives = np.array([r.server != "me" for r, _ in seen])
    start = contacts[:, 0] - (np.where(receives, np.median(late[receives]), 0.0) if server_known else np.median(late))
    found = np.column_stack((start, contacts[:, 1] + np.median(truth[:, 1] - contacts[:, 1])))
    overlap = np.array([iou(truth[i : i + 1], found[i : i + 1])[0, 0] for i in range(len(seen))])
    row: dict[str, Any] = {"sessions": len(scripts)}
    for at in (0.5, 0.75):
        f1 = 2 * float((overlap >= at).sum()) / (len(rallies) + len(seen))
        row[f"rally_f1_iou_{at}"] = {"value": round(f1, 4), "low": round(f1, 4), "high": round(f1, 4)}
    edge = round(float(np.median(np.abs(found - truth))), 4)
    return row | {"boundary_error_s": {"value": edge, "low": edge, "high": edge}}


def simulated(which: SensorSet, number: int) -> Comparison:
    """One held-out match, analysed."""
    import squashlib

    match = squashlib.simulate(
        FIRST_SEED + number,
        level=LEVELS[number % len(LEVELS)],
        rate_hz=which.rates_hz[number % len(which.rates_hz)],
        hand=which.hand,
        sensors=which.sensors,
    )
    return analysed(match, which)


def labelled(which: SensorSet, number: int) -> Comparison:
    """One video from one player's wrist, analysed."""
    from benchmarks.labelled_videos import enacted

    rate_hz = which.rates_hz[number % len(which.rates_hz)]
    return analysed(enacted(number, which.sensors, which.hand, rate_hz), which)


def analysed(match: Any, which: SensorSet) -> Comparison:
    import squashlib
    from squashlib.athlete import Athlete

    athlete = Athlete(hand=which.hand)
    analysis = squashlib.analyse(match.session, points=match.points if which.points else [], athlete=athlete)
    return compare(match.truth, analysis.to_dict())


def rows(matches: int) -> Iterator[tuple[str, dict[str, Any], dict[str, float]]]:
    """Name, figures and targets of each line, as they come."""
    from benchmarks.labelled_videos import PRESENT, VIEWS

    for name, serves in (("ceiling, own contacts and server known", True), ("ceiling, own contacts known", False)):
        yield name, ceiling([held_out(number) for number in range(matches)], serves), {}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for which in SETS:
            yield which.name, _summary(pool, simulated, which, matches), which.targets
        if not PRESENT:
            print("real labels and tennis: skipped, ../shared/data is not there", file=sys.stderr)
            return
        for which in SETS:
            yield f"real labels, {which.name}", _summary(pool, labelled, which, VIEWS), {}
    from benchmarks.tennis_wrist import tennis_strokes

    yield "real tennis wrist, 100 Hz", tennis_strokes(), {"stroke_f1_within_0.25_s": 0.95}


def _summary(pool: ProcessPoolExecutor, run: Any, which: SensorSet, count: int) -> dict[str, Any]:
    done = []
    for comparison in pool.map(run, [which] * count, range(count)):
        done.append(comparison)
        if sys.stderr.isatty():
            print(f"\r\033[K{which.name}: {len(done)}/{count}", end="\r", file=sys.stderr, flush=True)
    from squashlib.lab import session_scores

    return summarise(done) | {"each": {f"match {i}": session_scores(one) for i, one in enumerate(done, 1)}}


SHOWN = (
    ("F1@0.5", "rally_f1_iou_0.5"),
    ("F1@0.75", "rally_f1_iou_0.75"),
    ("edge s", "boundary_error_s"),
    ("games@0.8", "games_f1_iou_0.8"),
    ("strokes", "stroke_f1_within_0.25_s"),
    ("ECE", "calibration_error"),
    ("in 90%", "count_interval_coverage"),
    ("count", "count_error"),
)


def shown(name: str, row: dict[str, Any], wanted: dict[str, float]) -> str:
    """One line; a figure that misses its target carries a `<` (or `>`) and the target."""
    cells = [f"{name:<40}"]
    for title, key in SHOWN:
        figure = row.get(key)
        if figure is None:
            continue
        target, less = wanted.get(key), key == "boundary_error_s"
        missed = target is not None and ((figure["value"] > target) if less else (figure["value"] < target))
        mark = f" {'>' if less else '<'}{target:g}" if missed else ""
        cells.append(f"{title}={figure['value']:.3f} [{figure['low']:.2f} {figure['high']:.2f}]{mark}")
    return "  ".join(cells)


def save(table: dict[str, Any], matches: int) -> list[str]:
    """Keep every line of detections as a row of the leaderboard; ids of the rows. Rows are never changed."""
    from squashlib.analysis import default_framework, version_of
    from squashlib.fingerprint import content_hash, detector_fingerprint, module_hash, reached
    from squashlib.lab import SCHEMA, algorithm_of, parameters_of
    from squashlib.session import iso
    from store import Store, leaderboard

    framework = default_framework()
    made_by = sorted((name, module_hash(name)) for name in reached("squashlib.simulate"))
    head = {
        "schema": SCHEMA,
        "time": iso(datetime.now(UTC)),
        "algorithm": algorithm_of(framework),
        "algorithm_version": version_of(framework),
        "fingerprints": {detector.name: detector_fingerprint(detector) for detector in framework.ordered()},
        "parameters": parameters_of(framework),
    }
    ids = []
    for name, row in table.items():
        if name.startswith("ceiling"):
            continue
        data = content_hash(name, FIRST_SEED, matches, made_by)[:16]
        by = ["video and tennis labels" if name.startswith("real") else "simulator"]
        about = {"data_set": {"name": f"accuracy, {name}", "hash": data, "sessions": row["sessions"]}}
        about |= {"label_set": {"by": by, "hash": data}}
        scores = {key: value for key, value in row.items() if key not in ("sessions", "each")}
        kept = head | about | {"scores": scores, "sessions": row.get("each", {})}
        ids.append(leaderboard.add(Store.open().blobs, kept))
    return ids


def main() -> None:
    parser = argparse.ArgumentParser(prog="make accuracy ARGS=…", description=__doc__.splitlines()[0])
    parser.add_argument("--matches", type=int, default=MATCHES, help="simulated matches per sensor set")
    parser.add_argument("--save", action="store_true", help="append the table to the leaderboard")
    arguments = parser.parse_args()
    if arguments.matches < 1:
        parser.error(f"--matches is {arguments.matches}, must be at least 1")
    table = {}
    for name, row, wanted in rows(arguments.matches):
        table[name] = row
        print(shown(name, row, wanted), flush=True)
    if arguments.save:
        print(f"{len(save(table, arguments.matches))} rows are on the leaderboard; see notebooks/leaderboard.ipynb")


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    main()
