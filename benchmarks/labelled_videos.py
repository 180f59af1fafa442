"""Real squash: the labelled rallies, rests and hits of five videos, as two players' watches would have felt them.

Timing is real, the sensors are simulated. Where a label is missing within a rally (the same player twice in a row), the
opponent's contact is put in the middle. Rallies cut by the start or end of a video are left out: the players stand
still there, and a minute before and after.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from squashlib.simulate import Match
from squashlib.simulate.match import enact
from squashlib.simulate.script import Rally, Script

LABELS = Path("../shared/data/squash_video_labels")
PRESENT = (LABELS / "segments.csv").exists()
VIEWS = 10  # five videos, two players
FIRST_SEED = 95_000
LEAD_S = 60.0
#: Shorter than this, two contacts by one player have no contact by the other between them.
MISSING_S = 1.6


def enacted(view: int, sensors: tuple[str, ...], hand: Any, rate_hz: float) -> Match:
    """Video `view // 2 + 1` at the wrist of player `view % 2 + 1`."""
    script = labelled_script(view // 2 + 1, view % 2 + 1)
    start = datetime(2026, 3, 1, 18, tzinfo=UTC)
    match = enact(np.random.default_rng(FIRST_SEED + view), script, start, rate_hz=rate_hz, sensors=sensors, hand=hand)
    match.truth["games"] = None  # a video shows a part of one game
    return match


def labelled_script(video: int, wearer: int) -> Script:
    """A script with the labels' rallies and contacts, a minute later than in the video."""
    segments, hits = pd.read_csv(LABELS / "segments.csv"), pd.read_csv(LABELS / "hits.csv")
    segments, hits = segments[segments.video == video], hits[hits.video == video]
    script, rng = Script(), np.random.default_rng(video)
    for row in segments[(segments.state == "rally") & (segments.censored == 0)].itertuples():
        inside = hits[(hits.time_s > row.start_s - 0.3) & (hits.time_s < row.end_s)]
        contacts = _contacts(inside.time_s.tolist(), (inside.player_id == wearer).tolist())
        if contacts:
            script.rallies.append(_rally(rng, row.start_s, row.end_s, contacts))
    for rally, after in zip(script.rallies, script.rallies[1:], strict=False):
        rally.next_server = after.server
    script.games = [(script.rallies[0].start_s, script.rallies[-1].stop_s, script.rallies[-1].score)]
    script.duration_s = float(segments.end_s.max()) + 2 * LEAD_S
    return script


def _rally(rng: np.random.Generator, start: float, stop: float, contacts: list[tuple[float, bool]]) -> Rally:
    contacts = [(max(time, start) + LEAD_S, mine) for time, mine in contacts]
    server, winner = ("me" if contacts[0][1] else "opponent"), ("me" if rng.random() < 0.5 else "opponent")
    return Rally(1, start + LEAD_S, stop + LEAD_S, contacts[-1][0], winner, False, server, (0, 0), contacts)


def _contacts(times: list[float], mine: list[bool]) -> list[tuple[float, bool]]:
    contacts: list[tuple[float, bool]] = []
    for time, own in zip(times, mine, strict=True):
        if contacts and contacts[-1][1] == own and time - contacts[-1][0] > MISSING_S:
            contacts.append(((time + contacts[-1][0]) / 2, not own))
        contacts.append((time, own))
    return contacts
