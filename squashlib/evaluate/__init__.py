"""How good an analysis is, measured against what really happened.

Conventions: a rally lasts from the serve's contact to the ball's death, and is found by a detection that overlaps it
with IoU of at least a threshold, one to one. The end is also scored against the last contact. No truth and no
detection is perfect; detections without truth, or the reverse, are worth nothing.
"""

from squashlib.evaluate.comparison import Comparison, compare, evaluate
from squashlib.evaluate.matching import match_spans, match_times
from squashlib.evaluate.summary import summarise

__all__ = ["Comparison", "compare", "evaluate", "match_spans", "match_times", "summarise"]
