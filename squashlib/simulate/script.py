"""Who plays, and what happens when: warm-up, games, rallies, contacts, lets, rests.

Laws: inter-shot times and rests are fitted to labelled video (rally gamma k=2.8 theta=5.1 s, rest gamma k=5.6
theta=1.7 s, contact to contact in two modes about 1.2 and 1.9 s); elite shots per rally after PSA match counts
(median 12, upper quartile 21); warm-up and interval lengths after the rules of 2019.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

Level = Literal["elite", "club", "recreational"]


@dataclass(frozen=True)
class Player:
    """A level's habits: medians and spreads of shots, tempo (s) and rest (s), lets per point."""

    shots: float
    shots_sigma: float
    tempo_s: float
    tempo_sigma: float
    rest_s: float
    rest_cv: float
    lets: float
    break_s: tuple[float, float]
    warmup_s: tuple[float, float]
    towel: float
    power: float


#: Labelled intervals between contacts have two modes: shares, and medians relative to the level's tempo.
SLOW_SHARE, SLOW, QUICK = 0.36, 1.31, 0.85

LEVELS: dict[str, Player] = {
    "recreational": Player(4.5, 0.75, 1.55, 0.18, 10.0, 0.5, 0.05, (45, 240), (180, 480), 0.02, 0.8),
    "club": Player(7.3, 0.62, 1.45, 0.155, 8.9, 0.40, 0.15, (90, 150), (220, 320), 0.02, 1.0),
    "elite": Player(12.0, 0.80, 1.34, 0.14, 11.0, 0.40, 0.35, (90, 125), (210, 260), 0.05, 1.1),
}


@dataclass
class Rally:
    """One rally: serve contact to ball dead; contacts with who hit (True: the wearer)."""

    game: int
    start_s: float
    stop_s: float
    last_contact_s: float
    winner: str
    is_let: bool
    server: str
    score: tuple[int, int]
    contacts: list[tuple[float, bool]]
    next_server: str = ""
    towel: bool = False


@dataclass
class Script:
    """A whole match in seconds from the recording's start."""

    warmup: tuple[float, float] = (0.0, 0.0)
    cooldown: tuple[float, float] = (0.0, 0.0)
    duration_s: float = 0.0
    rallies: list[Rally] = field(default_factory=list)
    warmup_contacts: list[float] = field(default_factory=list)
    games: list[tuple[float, float, tuple[int, int]]] = field(default_factory=list)


def write_script(rng: np.random.Generator, level: Level) -> Script:
    """Draw a match of PAR-11, best of five; recreational players stop when the court is needed by others."""
    player = LEVELS[level]
    script = Script()
    edge_s = rng.uniform(10, 90)
    script.warmup = (edge_s, edge_s + rng.uniform(*player.warmup_s))
    script.warmup_contacts = _warmup(rng, *script.warmup)
    now = script.warmup[1] + rng.uniform(30, 90)
    habit = _habit(rng, player)
    won = [0, 0]
    games = int(rng.integers(2, 8)) if level == "recreational" else 5
    while max(won) < (3 if games == 5 else games) and sum(won) < games:
        start = now
        score, now = _game(rng, script, len(script.games) + 1, now, habit, 0.5 + 0.09 * rng.normal())
        script.games.append((start, script.rallies[-1].stop_s, score))
        won[score[1] > score[0]] += 1
        now = script.rallies[-1].stop_s + rng.uniform(*player.break_s)
    end = script.rallies[-1].stop_s
    script.cooldown = (end + rng.uniform(5, 20), end + rng.uniform(60, 300))
    script.duration_s = script.cooldown[1]
    return script


def _warmup(rng: np.random.Generator, start: float, stop: float) -> list[float]:
    """Own hits every 3 s or so, some ball lost now and then, sides changed half-way."""
    contacts, now, half = list[float](), start, (start + stop) / 2
    while now < stop:
        contacts.append(float(now))
        before, now = now, now + rng.lognormal(np.log(3.0), 0.3) + (rng.uniform(5, 18) if rng.random() < 0.06 else 0)
        now += rng.uniform(8, 20) if before < half <= now else 0
    return contacts


def _habit(rng: np.random.Generator, player: Player) -> Player:
    """The habits of one match: mean rest varies by about a fifth between matches, tempo little."""
    return Player(
        player.shots * rng.lognormal(0, 0.12),
        player.shots_sigma,
        player.tempo_s * rng.lognormal(0, 0.03),
        player.tempo_sigma,
        player.rest_s * rng.lognormal(0, 0.18),
        player.rest_cv,
        player.lets,
        player.break_s,
        player.warmup_s,
        player.towel,
        player.power,
    )


def _game(
    rng: np.random.Generator, script: Script, number: int, now: float, habit: Player, strength: float
) -> tuple[tuple[int, int], float]:
    me = opponent = 0
    server = bool(rng.random() < 0.5)
    while max(me, opponent) < 11 or abs(me - opponent) < 2:
        is_let = bool(rng.random() < habit.lets / (1 + habit.lets))
        wins = bool(rng.random() < strength)
        if not is_let:
            me, opponent = me + wins, opponent + (not wins)
        rally = _rally(rng, number, now, server, habit, is_let)
        rally.winner, rally.score = ("me" if wins else "opponent"), (me, opponent)
        script.rallies.append(rally)
        server = server if is_let else wins
        rally.next_server = "me" if server else "opponent"
        rally.towel = bool(rng.random() < habit.towel)
        now = rally.stop_s + _rest(rng, habit) + (rng.uniform(12, 22) if rally.towel else 0)
    return (me, opponent), now


def _rest(rng: np.random.Generator, habit: Player) -> float:
    rest = rng.gamma(1 / habit.rest_cv**2, habit.rest_s * habit.rest_cv**2)
    return float(max(3.0, rest) + (rng.uniform(3, 15) if rng.random() < 0.08 else 0))


def _gaps(rng: np.random.Generator, habit: Player, n: int) -> npt.NDArray[np.float64]:
    """Contact to contact: two in three come quickly, one in three takes its time (high, off the back wall)."""
    slow = rng.random(n) < SLOW_SHARE
    medians = habit.tempo_s * np.where(slow, SLOW, QUICK)
    return np.asarray(medians * np.exp(rng.normal(0, habit.tempo_sigma, n)))


def _rally(rng: np.random.Generator, game: int, start: float, server: bool, habit: Player, is_let: bool) -> Rally:
    shots = max(1, round(rng.lognormal(np.log(habit.shots), habit.shots_sigma)))
    gaps = _gaps(rng, habit, shots - 1)
    times = start + np.concatenate(([0.0], np.cumsum(gaps)))
    contacts = [(float(t), (i % 2 == 0) == server) for i, t in enumerate(times)]
    dead = float(times[-1]) + float(np.clip(rng.gamma(6, 0.4), 0.9, 4.5))
    server_name = "me" if server else "opponent"
    return Rally(game, start, dead, float(times[-1]), "", is_let, server_name, (0, 0), contacts)
