"""Points as a player presses them and the laws that they obey: PAR-11, PAR-15, HiHo to 9, best of 3 or 5, lets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from squashlib.moments import parse_iso

DOUBLE_S = 3.0  # no rally, from serve to press, is shorter

Winner = Literal["me", "opponent"]

MOST = 999


@dataclass(frozen=True)
class Point:
    """One press: when, who won, and the score after it as the device saw it."""

    time_s: float
    winner: Winner | None = None
    score_me: int | None = None
    score_opponent: int | None = None
    game: int | None = None
    is_let: bool = False
    source: str = "watch"


def parse_points(items: Iterable[Mapping[str, Any]], start_time: datetime) -> list[Point]:
    """Points from the wire form of `POST /api/sessions/{id}/points`, in order of time.

    Raises
    ------
    ValueError
        For an item whose time, winner, score or game is none; it says which.
    """
    return sorted((_parse_point(item, start_time) for item in items), key=lambda point: point.time_s)


def _parse_point(item: Mapping[str, Any], start_time: datetime) -> Point:
    if not item.get("timestamp"):
        raise ValueError(f"point {dict(item)!r:.200} has no timestamp, must have an ISO 8601 time")
    after = item.get("score_after") or {}
    if not isinstance(after, Mapping):
        raise ValueError(f"score_after of a point is {after!r:.80}, must be an object with me and opponent")
    winner = item.get("winner")
    is_let = str(item.get("is_let", "false")).lower() == "true"
    if winner not in ("me", "opponent", None):
        raise ValueError(f"winner of a point is {winner!r}, must be 'me' or 'opponent'")
    try:
        time = parse_iso(str(item["timestamp"]))
    except ValueError as error:
        raise ValueError(f"timestamp of a point is {item['timestamp']!r:.80}, must be an ISO 8601 time") from error
    return Point(
        time_s=(time - start_time).total_seconds(),
        winner=winner,
        score_me=_counted("score_me_after", item.get("score_me_after", after.get("me"))),
        score_opponent=_counted("score_opponent_after", item.get("score_opponent_after", after.get("opponent"))),
        game=_counted("game_number", item.get("game_number"), 1),
        is_let=is_let,
        source=str(item.get("source", "watch")),
    )


def _counted(name: str, value: Any, least: int = 0) -> int | None:
    if value is None:
        return None
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        number = -1
    if isinstance(value, bool) or number != value or not least <= number <= MOST:
        raise ValueError(f"{name} of a point is {value!r:.80}, must be a whole number from {least} to {MOST}")
    return number


@dataclass(frozen=True)
class Law:
    """A scoring system: a game goes to `target`, won by at least `win_by`; with HiHo only the server scores."""

    name: str
    target: int
    win_by: int
    server_scores_only: bool = False


LAWS = {
    "PAR-11": Law("PAR-11", 11, 2),
    "PAR-15": Law("PAR-15", 15, 2),
    "HiHo-9": Law("HiHo-9", 9, 1, server_scores_only=True),
}
#: Names that the deployed clients use.
ALIASES = {
    "american": "PAR-11",
    "english": "HiHo-9",
    "par": "PAR-11",
    "par11": "PAR-11",
    "par15": "PAR-15",
    "hiho": "HiHo-9",
}


def law_of(system: str | None) -> Law:
    """The law of a scoring system's name; PAR-11 for none or one that is unknown."""
    name = (system or "PAR-11").strip()
    return LAWS.get(name, LAWS[ALIASES.get(name.lower().replace("-", "").replace("_", ""), "PAR-11")])


def is_over(law: Law, me: int, opponent: int) -> bool:
    """Whether a score ends the game. HiHo to 9 may be set to 10 at 8-all, so both 9-8 and 10-8 or 10-9 end it."""
    high, low = max(me, opponent), min(me, opponent)
    if law.server_scores_only:
        return high == 9 or (high == 10 and low in (8, 9))
    return high >= law.target and high - low >= law.win_by and not (high > law.target and high - low > law.win_by)


def is_possible(law: Law, me: int, opponent: int) -> bool:
    """Whether a score can stand in a game at all."""
    high, low = max(me, opponent), min(me, opponent)
    if low < 0:
        return False
    if law.server_scores_only:
        return high <= 10 and (high < 10 or low >= 8)
    return high <= law.target or high - low <= law.win_by


@dataclass(frozen=True)
class Ruling:
    """What the laws say of one point: the score after it, and what is odd about it."""

    point: Point
    score_me: int
    score_opponent: int
    game: int
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Game:
    """A game's score so far; `winner` None while it goes on."""

    number: int
    score_me: int
    score_opponent: int
    winner: Winner | None


@dataclass(frozen=True)
class Scoreboard:
    """All rulings in order, games, and the match."""

    system: str
    rulings: tuple[Ruling, ...]
    games: tuple[Game, ...]
    match_winner: Winner | None

    @property
    def games_won(self) -> tuple[int, int]:
        """Games of the wearer and the opponent."""
        won = [game.winner for game in self.games]
        return won.count("me"), won.count("opponent")


def referee(points: Iterable[Point], system: str | None = None, best_of: int = 5) -> Scoreboard:
    """Follow a match point by point by the laws; what breaks them is flagged, never refused.

    A press that names a score is believed over the running count, and flagged when the two disagree: a point before it
    may have been missed or pressed twice. A press without a score counts one for the winner (with HiHo scoring only if
    the winner served).
    """
    law = law_of(system)
    rulings: list[Ruling] = []
    games: list[Game] = []
    me = opponent = 0
    number, server = 1, None
    last_s = -1e9
    for point in points:
        flags: list[str] = []
        new_game = point.game is not None and point.game > number
        over = is_over(law, me, opponent)
        if rulings and (new_game or (over and not _still_ended_game(law, me, opponent, number, point, last_s))):
            if not over:
                flags.append("game_not_finished")
            games.append(_game(law, number, me, opponent))
            number = point.game if new_game and point.game is not None else number + 1
            me = opponent = 0
            over = False
        if point.game is not None and point.game < number:
            flags.append("game_number_goes_back")
        expected = _after(law, me, opponent, point, server)
        stated = (point.score_me, point.score_opponent)
        if stated[0] is not None and stated[1] is not None:
            me, opponent = stated[0], stated[1]
            if (me, opponent) != expected:
                flags.append("score_does_not_follow")
        else:
            me, opponent = (me, opponent) if over else expected
        if not is_possible(law, me, opponent):
            flags.append("score_is_impossible")
        if point.time_s - last_s < DOUBLE_S and not point.is_let:
            flags.append("pressed_twice")
        if point.winner is not None and not point.is_let:
            server = point.winner
        last_s = point.time_s
        rulings.append(Ruling(point, me, opponent, number, tuple(flags)))
    if rulings:
        games.append(_game(law, number, me, opponent))
    won = [game.winner for game in games]
    champion = next((side for side in ("me", "opponent") if won.count(side) > best_of // 2), None)
    return Scoreboard(law.name, tuple(rulings), tuple(games), champion)  # type: ignore[arg-type]


def _still_ended_game(law: Law, me: int, opponent: int, number: int, point: Point, last_s: float) -> bool:
    """Whether a press after the game ball belongs to the game that it ended, not to a new one.

    A let, the same score pressed again, a double press without a score, and HiHo played on to 10 from 9-8 do.
    """
    if point.game not in (None, number):
        return False
    if point.score_me is None or point.score_opponent is None:
        return point.is_let or point.time_s - last_s < DOUBLE_S
    stated = (point.score_me, point.score_opponent)
    if stated == (me, opponent):
        return True
    rises = stated[0] >= me and stated[1] >= opponent
    return law.server_scores_only and rises and min(me, opponent) == 8 and max(stated) <= 10


def _after(law: Law, me: int, opponent: int, point: Point, server: str | None) -> tuple[int, int]:
    if point.is_let or point.winner is None:
        return me, opponent
    if law.server_scores_only and server is not None and server != point.winner:
        return me, opponent
    return (me + 1, opponent) if point.winner == "me" else (me, opponent + 1)


def _game(law: Law, number: int, me: int, opponent: int) -> Game:
    winner: Winner | None = None
    if is_over(law, me, opponent):
        winner = "me" if me > opponent else "opponent"
    return Game(number, me, opponent, winner)
