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
#: Rallies of a game, lets included: median and log spread of PAR-11 between equals, wide enough for the other laws.
USUAL_RALLIES, SPREAD, MOST_RALLIES = 20.0, 0.35, 90
#: Log weights: of a last game of any length, of leaving play in a gap, and the most that one gap may say.
UNFINISHED, AWAY, SURELY = -7.0, 1.5, 12.0
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
    rally_starts: Floats, rally_stops: Floats, scored: Mapping[int, Point], found: Segmentation
) -> tuple[list[tuple[float, float, float]], npt.NDArray[np.int64]]:  # fmt: skip
    """Games as (start, stop, confidence), and each rally's game number from 1 (0: knocking up between matches)."""
    gaps = rally_starts[1:] - rally_stops[:-1]
    away = np.concatenate(([0], np.cumsum(~np.isin(found.path, (RALLY, REST)))))
    first, last = (np.clip(x.astype(int), 0, len(found.path)) for x in (rally_starts[1:], rally_stops[:-1]))
    numbers, sure = by_gaps(gaps, away[first] > away[last])
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


def by_gaps(gaps: Floats, away: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.int64], Floats]:
    """Each rally's game from 1, (r,), and how probable each game is as it stands, (g,): whole games between long gaps.

    A gap (r-1,) speaks for a break by its length and by whether the wearer was `away` from play in it (r-1,); a game by
    how many rallies it takes, of which PAR-11, PAR-15 and HiHo need 9 at least and mostly 15 to 30. The last game may
    have been left unfinished. The cut with the highest sum of log weights is found by dynamic programming, and all
    other cuts are weighed beside it by the same sums forward and backward.
    """
    told = _told(for_break(gaps) + np.where(away, AWAY, -AWAY))
    n = len(told) - 1
    best, begun, forward, backward = np.zeros(n + 1), np.zeros(n + 1, np.int64), np.zeros(n + 1), np.zeros(n + 1)
    for stop in range(1, n + 1):
        value = best[:stop] + told[:stop, stop]
        begun[stop], best[stop] = value.argmax(), value.max()
        forward[stop] = np.logaddexp.reduce(forward[:stop] + told[:stop, stop])
    for start in range(n - 1, -1, -1):
        backward[start] = np.logaddexp.reduce(told[start, start + 1 :] + backward[start + 1 :])
    number, stop, sure = np.zeros(n, np.int64), n, list[float]()
    while stop > 0:
        start = int(begun[stop])
        sure.append(float(np.exp(forward[start] + told[start, stop] + backward[stop] - forward[n])))
        number[start], stop = 1, start
    return np.cumsum(number), np.array(sure[::-1])


def _told(breaks: Floats) -> Floats:
    """Log weight of a game from before rally a to before rally b and of the break before it, (r+1, r+1)."""
    n = len(breaks) + 1
    rallies = np.arange(n + 1) - np.arange(n + 1)[:, None]
    told = np.where(
        (rallies > 0) & (rallies <= MOST_RALLIES),
        log_lognormal(np.maximum(rallies, 1).astype(np.float64), USUAL_RALLIES, SPREAD),
        -np.inf,
    )
    told[:n, n] = np.maximum(told[:n, n], UNFINISHED)
    told[1:n] += breaks[:, None]
    return np.asarray(told)


def for_break(gaps: Floats) -> Floats:
    """Log odds of gaps (k,) s to be a break: 90 or 120 s by rule, while rests seldom last half a minute."""
    d = np.maximum(gaps, 1.0)
    rest = log_mix((0.88, log_gamma(d, 5.0, 11.5)), (0.11, log_gamma(d, 3.0, 25.0)), (0.01, log_gamma(d, 1.0, 40.0)))
    return np.asarray(np.clip(log_lognormal(d, 100.0, 0.5) - rest, -SURELY, SURELY))


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
