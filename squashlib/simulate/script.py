"""Who plays, and what happens when: warm-up, games, rallies, contacts, lets, rests.

Laws: inter-shot times and rests are fitted to labelled video (rally gamma k=2.8 theta=5.1 s, rest gamma k=5.6
theta=1.7 s, shot to shot lognormal median 1.45 s); elite shots per rally after PSA match counts (median 12, upper
quartile 21); warm-up and interval lengths after the rules of 2019.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

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


LEVELS: dict[str, Player] = {
    "recreational": Player(4.5, 0.75, 1.55, 0.27, 10.0, 0.5, 0.05, (60, 150)),
    "club": Player(7.6, 0.62, 1.45, 0.25, 9.3, 0.40, 0.15, (90, 130)),
    "elite": Player(12.0, 0.80, 1.34, 0.22, 11.0, 0.40, 0.35, (90, 125)),
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


@dataclass
class Script:
    """A whole match in seconds from the recording's start."""

    warmup: tuple[float, float] = (0.0, 0.0)
    cooldown: tuple[float, float] = (0.0, 0.0)
    duration_s: float = 0.0
    rallies: list[Rally] = field(default_factory=list)
    warmup_contacts: list[float] = field(default_factory=list)
    games: list[tuple[float, float, tuple[int, int]]] = field(default_factory=list)


def write_script(rng: np.random.Generator, level: Level, best_of: int = 5) -> Script:
    """Draw a match of PAR-11 at a level."""
    player = LEVELS[level]
    script = Script()
    edge_s = rng.uniform(10, 60)
    script.warmup = (edge_s, edge_s + rng.uniform(200, 330))
    now = script.warmup[0]
    while now < script.warmup[1]:
        script.warmup_contacts.append(now)
        now += rng.lognormal(np.log(3.0), 0.3) + (rng.uniform(6, 20) if rng.random() < 0.06 else 0)
    now = script.warmup[1] + rng.uniform(30, 90)
    habit = _habit(rng, player)
    won = [0, 0]
    while max(won) <= best_of // 2:
        start = now
        score, now = _game(rng, script, len(script.games) + 1, now, habit, 0.5 + 0.09 * rng.normal())
        script.games.append((start, script.rallies[-1].stop_s, score))
        won[score[1] > score[0]] += 1
        now = script.rallies[-1].stop_s + rng.uniform(*player.break_s)
    end = script.rallies[-1].stop_s
    script.cooldown = (end + rng.uniform(5, 20), end + rng.uniform(60, 300))
    script.duration_s = script.cooldown[1]
    return script


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
        rest = rng.gamma(1 / habit.rest_cv**2, habit.rest_s * habit.rest_cv**2)
        now = rally.stop_s + max(3.0, rest) + (rng.uniform(3, 15) if rng.random() < 0.08 else 0)
    return (me, opponent), now


def _rally(rng: np.random.Generator, game: int, start: float, server: bool, habit: Player, is_let: bool) -> Rally:
    shots = max(1, round(rng.lognormal(np.log(habit.shots), habit.shots_sigma)))
    gaps = rng.lognormal(np.log(habit.tempo_s), habit.tempo_sigma, shots - 1)
    times = start + np.concatenate(([0.0], np.cumsum(gaps)))
    contacts = [(float(t), (i % 2 == 0) == server) for i, t in enumerate(times)]
    dead = float(times[-1]) + float(np.clip(rng.gamma(6, 0.4), 0.9, 4.5))
    server_name = "me" if server else "opponent"
    return Rally(game, start, dead, float(times[-1]), "", is_let, server_name, (0, 0), contacts)
