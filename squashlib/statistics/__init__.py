"""Figures over weeks, months and years, from the summaries of analyses; days are those of the player's own zone."""

from squashlib.statistics.bests import bests
from squashlib.statistics.load import load
from squashlib.statistics.opponents import by_opponent
from squashlib.statistics.played import Played
from squashlib.statistics.totals import aggregate, totals
from squashlib.statistics.trend import trend

__all__ = ["Played", "aggregate", "bests", "by_opponent", "load", "totals", "trend"]
