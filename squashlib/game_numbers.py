"""Which game each press belongs to when the device did not say: the law that explains the scores best bounds them."""

from collections.abc import Sequence
from dataclasses import replace

from squashlib.scoring import LAWS, Point, Scoreboard, referee

STATED = 0.8


def numbered(points: Sequence[Point]) -> tuple[Point, ...]:
    """Points with game numbers: the device's own, or those that the laws give to the scores that it stated.

    Winners alone are not counted out: one missed press would move the end of every later game.
    """
    stated = [point for point in points if point.score_me is not None and point.score_opponent is not None]
    if any(point.game is not None for point in points) or len(stated) < STATED * max(len(points), 1):
        return tuple(points)
    boards = [referee(points, law) for law in LAWS]
    board = min(boards, key=oddities)
    return tuple(replace(ruling.point, game=ruling.game) for ruling in board.rulings)


def oddities(board: Scoreboard) -> int:
    """How many things about a match a law does not explain; a game left unfinished in the middle is one."""
    unfinished = sum(game.winner is None for game in board.games[:-1])
    return unfinished + sum(len(ruling.flags) for ruling in board.rulings)
