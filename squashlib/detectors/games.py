"""Which rallies belong to which game, and which press to which rally."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from squashlib.detectors.model import RALLY, REST, log_gamma, log_lognormal, log_mix
from squashlib.detectors.segmentation import Segmentation
from squashlib.schema import WINNERS
from squashlib.scoring import Point

Floats = npt.NDArray[np.float64]

FEWEST_RALLIES = 5
#: Laws that one match is played by: prior, then median and log spread of a game's rallies, lets included. Playing
#: games out point by point (server's share 0.5 ± 0.09, 0.05 to 0.35 lets a point) gives PAR-11 21 rallies ± 23 %, and
#: PAR-15 and HiHo 29 ± 20 and 35 %; the last stands for what is no match of squash, and its games are none.
LAWS = ((0.92, 20.8, 0.27), (0.078, 29.0, 0.3), (0.002, 25.0, 0.8))
MOST_RALLIES = 120
#: Log weights: of a game that was begun before or left after any of its rallies (one in fifty, at one of twenty), of
#: leaving play in a gap, and the most that one gap may say.
UNFINISHED, AWAY, SURELY = -7.0, 1.5, 12.0
#: Breaks so long are overlooked by the model of seconds nearly always, and hardly ever (s); by the heart alone, hardly.
OVERLOOKED_S, SEEN_S, BLIND = 50.0, 95.0, -1.5
#: Of a game's rallies the heart alone shows so many, and how much that differs from game to game.
FOUND, FOUND_SPREAD = 0.88, 0.15
ALONE_S, NEAR_S, BREAK_S, DOUBTFUL = 30.0, 12.0, 70.0, 0.85
KNOCK_S = 15.0
NEW_MATCH_S = 60.0


def knocks(
    starts: Floats, stops: Floats, points: Sequence[Point], offset_s: float, sure: Floats
) -> npt.NDArray[np.bool_]:
    """Which are no rallies but a ball hit in a break (rule 7.5): one or two short ones far from others, unpressed.

    A doubtful one need not be as far from others, if what is left without it is as long as a break.
    """
    told = np.zeros(len(starts), bool)
    told[list(match_points(stops, points, offset_s)[1])] = True
    alone = _apart(starts, stops, told, ALONE_S, 0.0)
    alone |= _apart(starts, stops, told, NEAR_S, BREAK_S) & (sure < DOUBTFUL)
    return alone if (~alone).sum() >= FEWEST_RALLIES else np.zeros(len(starts), bool)


def _apart(
    starts: Floats, stops: Floats, told: npt.NDArray[np.bool_], apart_s: float, break_s: float
) -> npt.NDArray[np.bool_]:
    """Which lie in unpressed groups of one or two, apart from others, in whose place there would be a break; (r,)."""
    first = np.append(True, starts[1:] - stops[:-1] >= apart_s)
    group, at = np.cumsum(first) - 1, np.flatnonzero(first)
    last = np.append(at[1:] - 1, len(starts) - 1)
    longest = np.maximum.reduceat(stops - starts, at)
    gap = np.append(starts[at[1:]], np.inf) - np.append(-np.inf, stops[last[:-1]])
    lonely = (last - at < 2) & (longest < KNOCK_S) & ~np.logical_or.reduceat(told, at) & (gap >= break_s)
    if break_s:  # before the first and after the last there is no break
        lonely[[0, -1]] = False
    return np.asarray(lonely[group])


def games_of(
    rally_starts: Floats, rally_stops: Floats, scored: Mapping[int, Point], found: Segmentation, *, motion: bool
) -> tuple[list[tuple[float, float, float]], npt.NDArray[np.int64]]:  # fmt: skip
    """Games as (start, stop, confidence), and each rally's game number from 1 (0: knocking up between matches)."""
    gaps = rally_starts[1:] - rally_stops[:-1]
    away = np.concatenate(([0], np.cumsum(~np.isin(found.path, (RALLY, REST)))))
    first, last = (np.clip(x.astype(int), 0, len(found.path)) for x in (rally_starts[1:], rally_stops[:-1]))
    numbers, sure = by_gaps(gaps, away[first] > away[last], motion=motion)
    if len(scored) >= 0.6 * len(numbers) and all(point.game is not None for point in scored.values()):
        numbers = _numbered(gaps, scored)
        sure = np.ones(numbers.max())
    game = int(numbers.max())
    games = []
    for g in range(1, game + 1):
        held = numbers == g
        low, high = float(rally_starts[held][0]), float(rally_stops[held][-1])
        paths = found.samples[:, int(low) : max(int(low) + 1, int(high))]
        whole = ~(((paths != RALLY) & (paths != REST)).mean(axis=1) > 0.1)
        games.append((low, high, sure[g - 1] * float(whole.mean()) if len(whole) else 0.0))
    return games, numbers


def by_gaps(gaps: Floats, away: npt.NDArray[np.bool_], *, motion: bool = True) -> tuple[npt.NDArray[np.int64], Floats]:
    """Each rally's game from 1, (r,), and how probable each game is as it stands, (g,): whole games between long gaps.

    A gap (r-1,) speaks for a break by its length and by whether the wearer was `away` from play in it (r-1,); a game by
    how many rallies it takes by the law of the match, one of `LAWS`, of which the heart alone shows fewer. The first
    game may have been begun before the recording, the last left unfinished. For each law the cut with the highest sum
    of log weights is found by dynamic programming, and all other cuts are weighed beside it by the same sums forward
    and backward.
    """
    breaks = for_break(gaps) + np.where(away, AWAY, overlooked(gaps) if motion else BLIND)
    told, n = _told(breaks, *((1.0, 0.0) if motion else (FOUND, FOUND_SPREAD))), len(gaps) + 1
    best, begun = np.zeros((len(LAWS), n + 1)), np.zeros((len(LAWS), n + 1), np.int64)
    forward, backward = np.zeros((2, len(LAWS), n + 1))
    best[:, 0] = forward[:, 0] = np.log([share for share, _, _ in LAWS])
    for stop in range(1, n + 1):
        low = max(0, stop - MOST_RALLIES)
        value = best[:, low:stop] + told[:, low:stop, stop]
        begun[:, stop], best[:, stop] = low + value.argmax(axis=1), value.max(axis=1)
        forward[:, stop] = np.logaddexp.reduce(forward[:, low:stop] + told[:, low:stop, stop], axis=1)
    for start in range(n - 1, -1, -1):
        high = start + 1 + MOST_RALLIES
        after = told[:, start, start + 1 : high] + backward[:, start + 1 : high]
        backward[:, start] = np.logaddexp.reduce(after, axis=1)
    edges = [n]
    while edges[-1] > 0:
        edges.append(int(begun[best[:, n].argmax(), edges[-1]]))
    starts, stops = np.array(edges[:0:-1]), np.array(edges[-2::-1])
    held = forward[:, starts] + told[:, starts, stops] + backward[:, stops]
    sure = np.exp(np.logaddexp.reduce(held[:-1], axis=0) - np.logaddexp.reduce(forward[:, n]))
    return np.repeat(np.arange(1, len(starts) + 1), stops - starts), np.asarray(sure)


def overlooked(gaps: Floats) -> Floats:
    """Log probability that the model of seconds takes breaks (k,) s for rests; half a minute mostly looks like one."""
    return np.asarray(np.log(1 - 0.9 * np.clip((gaps - OVERLOOKED_S) / (SEEN_S - OVERLOOKED_S), 0.0, 1.0)))


def _told(breaks: Floats, found: float, more: float) -> Floats:
    """Log weight by each law of a game from before rally a to before rally b and of the break before it, (L, r+1, r+1).

    Of a game's rallies a share was `found`, which differs by the log spread `more` from game to game.
    """
    n = len(breaks) + 1
    number = np.arange(1, max(n, MOST_RALLIES) + 1, dtype=np.float64)
    told = np.full((len(LAWS), n + 1, n + 1), -np.inf)
    for table, (_, median, spread) in zip(told, LAWS, strict=True):
        law = np.where(
            number <= MOST_RALLIES, log_lognormal(number, found * median, float(np.hypot(spread, more))), -np.inf
        )
        cut_short = np.logaddexp(law, UNFINISHED + np.logaddexp.accumulate(law[::-1])[::-1])
        for first in range(n):
            table[first, first + 1 :] = (law if first else cut_short)[: n - first]
        table[:n, n] = cut_short[:n][::-1]
    told[:, 1:n] += breaks[:, None]
    return told


def for_break(gaps: Floats) -> Floats:
    """Log odds of gaps (k,) s to be a break: 90 or 120 s by rule, while rests seldom last half a minute."""
    d = np.maximum(gaps, 1.0)
    rest = log_mix((0.88, log_gamma(d, 5.0, 11.5)), (0.117, log_gamma(d, 4.0, 24.0)), (0.003, log_gamma(d, 1.0, 40.0)))
    return np.asarray(np.clip(log_lognormal(d, 100.0, 0.45) - rest, -SURELY, SURELY))


def _numbered(gaps: Floats, scored: Mapping[int, Point]) -> npt.NDArray[np.int64]:
    """Games as the player's watch counted them, (r,); between two games the longest of the gaps (r-1,) is the break."""
    known = _of_matches(gaps, sorted((rally, point.game or 0) for rally, point in scored.items()))
    named = np.full(len(gaps) + 1, known[-1][1])
    later, after = known[-1][1], known[-1][0]
    for rally, game in reversed(known):
        game = min(game, later)
        last = rally + int(np.argmax(gaps[rally:after])) if game < later else after
        named[: last + 1] = game
        later, after = game, rally
    return np.asarray(np.unique(named, return_inverse=True)[1] + 1, np.int64)


def _of_matches(gaps: Floats, known: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Numbers of games by rally that go on where, after a break, another match begins with its first game."""
    found, more, before = list[tuple[int, int]](), 0, (0, 0)
    for rally, game in known:
        if game < before[1] and gaps[before[0] : rally].max(initial=0.0) > NEW_MATCH_S:
            more += before[1]
        found.append((rally, game + more))
        before = (rally, game)
    return found


def final_scores(games: Sequence[tuple[float, float, float]], points: Sequence[Point]) -> npt.NDArray[np.float32]:
    """What the device said last before the next game began, me and the opponent, (g, 2); NaN where it said nothing."""
    scores = np.full((len(games), 2), np.nan, np.float32)
    starts = np.array([start for start, _, _ in games])
    for point in sorted(points, key=lambda p: p.time_s):
        game = int(np.searchsorted(starts, point.time_s, side="right")) - 1
        if game >= 0 and point.score_me is not None and point.score_opponent is not None:
            scores[game] = point.score_me, point.score_opponent
    return scores


def match_points(
    stops: Floats, points: Sequence[Point], offset_s: float
) -> tuple[npt.NDArray[np.int8], dict[int, Point]]:
    """Winner code of each rally, and the press that belongs to it."""
    winner = np.zeros(len(stops), np.int8)
    matched: dict[int, Point] = {}
    for point in sorted(points, key=lambda p: p.time_s):
        where = int(np.searchsorted(stops, point.time_s + 1.5)) - 1
        if where < 0 or point.time_s - stops[where] > max(15.0, offset_s + 10):
            continue
        matched[where] = point
        winner[where] = 0 if point.is_let or point.winner is None else WINNERS.index(point.winner)
    return winner, matched
