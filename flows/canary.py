"""Before a rerun changes anything: the new code must do as well as the old on sessions that people labelled."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from flows.keys import detector_prints
from flows.process import analysis_of, inputs_of, reusable
from flows.stale import Stale
from squashlib.errors import SquashError
from store import Store
from store.tables import LabelSet

if TYPE_CHECKING:
    from squashlib.evaluate import Comparison

#: How much a figure, pooled over all labelled sessions, may fall.
MARGIN = 0.01
MOST = 100


class WorseError(SquashError):
    """The new code does worse on labelled sessions; nothing was changed."""


@dataclass(frozen=True)
class Verdict:
    """How many labelled sessions were compared, and each figure before and after (F1, pooled)."""

    sessions: int
    figures: Mapping[str, tuple[float, float]]

    def worse(self, margin: float = MARGIN) -> list[str]:
        """Figures that fell by more than `margin`, in words."""
        return [f"{name} {old:.3f} → {new:.3f}" for name, (old, new) in self.figures.items() if old - new > margin]


def try_on_labelled(store: Store, stale: Sequence[Stale]) -> Verdict:
    """Analyse labelled stale sessions with today's code, write nothing, and compare both with the labels."""
    from squashlib.evaluate import compare

    before, after = [], []
    for item in [item for item in stale if item.labelled and not item.page_only][:MOST]:
        for truth in labels_of(store, item.session_id):
            before.append(compare(truth, store.sessions.analysis(item.session_id).document))
            after.append(compare(truth, _fresh(store, item)))
    figures = {name: (_f1(before, hits), _f1(after, hits)) for name, hits in FIGURES.items()} if before else {}
    return Verdict(len(before), figures)


def check(store: Store, stale: Sequence[Stale], margin: float = MARGIN) -> Verdict:
    """The verdict of the labelled sessions; raises `WorseError` if a figure falls by more than `margin`."""
    verdict = try_on_labelled(store, stale)
    if worse := verdict.worse(margin):
        told = "; ".join(worse)
        raise WorseError(
            f"on {verdict.sessions} labelled sessions the new code does worse: {told} (F1, at most {margin} less is "
            "allowed); nothing was recomputed. Mend the detector, or run with --margin if it is meant"
        )
    return verdict


def labels_of(store: Store, session_id: str) -> list[Mapping[str, Any]]:
    """The newest labels of each author, as truth documents; those that name no rally can judge none."""
    with store.catalog.look() as tx:
        rows = tx.scalars(select(LabelSet).where(LabelSet.session_id == session_id).order_by(LabelSet.version))
        newest = {row.author: row.labels for row in rows if row.kind == "labels"}
    return [labels for labels in newest.values() if labels.get("rallies")]


def _fresh(store: Store, item: Stale) -> Mapping[str, Any]:
    row = store.sessions.row(item.session_id)
    seen = inputs_of(store, row, item.revision)
    known = reusable(store, item.session_id, seen.hash, detector_prints())
    return analysis_of(store, seen, known).to_dict()


def _f1(comparisons: Iterable["Comparison"], hits_of: Callable[["Comparison"], Any]) -> float:
    from squashlib.evaluate.comparison import Hits

    found = [hits for comparison in comparisons if (hits := hits_of(comparison)) is not None]
    return Hits(*(sum(getattr(hits, part) for hits in found) for part in ("matched", "truth", "found"))).f1


FIGURES: Mapping[str, Callable[["Comparison"], Any]] = {
    "rallies at IoU 0.5": lambda one: one.rallies[0.5],
    "games": lambda one: one.games,
    "strokes within 0.25 s": lambda one: one.strokes[0.25] if one.strokes else None,
}
