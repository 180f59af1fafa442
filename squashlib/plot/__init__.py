"""Figures of matches: pictures before words; what is unsure looks unsure, and every figure says itself in words too."""

from squashlib.plot.heart import fatigue, heart_rate, recovery, zones
from squashlib.plot.match import games, momentum, score
from squashlib.plot.rallies import lengths, outcome_by_length, rallies, rally
from squashlib.plot.style import BLUE, GREEN, GREY, ORANGE, RED

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "ORANGE",
    "RED",
    "fatigue",
    "games",
    "heart_rate",
    "lengths",
    "momentum",
    "outcome_by_length",
    "rallies",
    "rally",
    "recovery",
    "score",
    "zones",
]
