"""What is not up to date with the code, and why: found in the catalog alone, in seconds for tens of thousands."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from sqlalchemy import select

from flows.keys import detector_prints, explain_hash, report_key, revision_key
from flows.process import NOTEBOOK, unchanged
from store import Store
from store.made_by import EXPLAIN, SECONDS
from store.tables import AnalysisRow, Equivalence, LabelSet, Report, Revision, SessionRow, Upload

Same = Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class Stale:
    """A session of which something was made by other code.

    `detectors` are to be run again; none, and no `decode`, means that only its document or its page is made anew.
    """

    session_id: str
    revision: str
    reasons: tuple[str, ...]
    detectors: tuple[str, ...] = ()
    decode: bool = False
    page_only: bool = False
    labelled: bool = False
    seconds: Mapping[str, float] = field(default_factory=dict, compare=False)


def stale_sessions(store: Store) -> list[Stale]:
    """Stale sessions: labelled ones first, then the newest; fingerprints shown to be equivalent count as the same.

    Sessions that retention has reduced are not among them: what they were made of is gone.
    """
    with store.catalog.look() as tx:
        same = {(row.detector, row.fingerprint): row.same_as for row in tx.scalars(select(Equivalence))}
        labelled = set(tx.scalars(select(LabelSet.session_id)))
        pages = {
            (page.session_id, page.report_key) for page in tx.execute(select(Report.session_id, Report.report_key))
        }
        rows = list(tx.execute(_ROWS.order_by(SessionRow.start_time.desc())))
        sent: dict[str, list[tuple[str, str]]] = {}
        for session_id, kind, sha256 in tx.execute(select(Upload.session_id, Upload.kind, Upload.sha256)):
            sent.setdefault(session_id, []).append((kind, sha256))
    prints, order = detector_prints(), _ordered()
    found = []
    for row in rows:
        decode = row.revision != revision_key(sent.get(row.session_id, []), row.end_time)
        reasons = _reasons(prints, row.fingerprints, same)
        run = _to_run(order, prints, row.fingerprints, same, decode)
        if decode:
            reasons = ("the decoder changed, or an upload was never processed", *reasons)
        page_only = not reasons and (row.session_id, report_key(row.analysis_key, NOTEBOOK)) not in pages
        if page_only:
            reasons = ("its page's notebook or figures changed, or it never had a page",)
        if reasons:
            seconds = row.fingerprints.get(SECONDS) or {}
            known = row.session_id in labelled
            found.append(Stale(row.session_id, row.revision, reasons, run, decode, page_only, known, seconds))
    return sorted(found, key=lambda item: not item.labelled)


_ROWS = (
    select(
        SessionRow.session_id, SessionRow.revision, SessionRow.end_time,
        AnalysisRow.analysis_key, AnalysisRow.fingerprints,
    )
    .join(
        AnalysisRow,
        (AnalysisRow.session_id == SessionRow.session_id) & (AnalysisRow.analysis_key == SessionRow.analysis_key),
    )
    .join(Revision, (Revision.session_id == SessionRow.session_id) & (Revision.revision == SessionRow.revision))
    .where(SessionRow.deleted_at.is_(None), Revision.resolution == "full")
)  # fmt: skip


def _ordered() -> Sequence[Any]:
    from squashlib.analysis import default_framework

    return default_framework().ordered()


def _reasons(now: Mapping[str, str], then: Mapping[str, Any], same: Same) -> tuple[str, ...]:
    changed = [name for name, print_now in now.items() if _differs(name, print_now, then, same)]
    reasons = [f"detector '{name}' changed" if name in then else f"detector '{name}' is new" for name in changed]
    if _differs(EXPLAIN, explain_hash(), then, same):
        reasons.append("the code of insights or documents changed")
    return tuple(reasons)


def _differs(name: str, now: str, then: Mapping[str, Any], same: Same) -> bool:
    return then.get(name) != now and then.get(name) != same.get((name, now))


def _to_run(
    ordered: Sequence[Any], now: Mapping[str, str], then: Mapping[str, Any], same: Same, decode: bool
) -> tuple[str, ...]:
    if decode:
        return tuple(now)
    as_now = {name: now[name] for name in now if not _differs(name, now[name], then, same)}
    kept = unchanged(ordered, now, {**then, **as_now})
    return tuple(name for name in now if name not in kept)


def counts(stale: Sequence[Stale]) -> list[tuple[str, int]]:
    """How many sessions each reason concerns, most first."""
    return Counter(reason for item in stale for reason in item.reasons).most_common()


def estimate_s(stale: Sequence[Stale]) -> float | None:
    """Seconds of one core, from what the same steps took when they were last done; None if none was ever measured."""
    names = {name for item in stale for name in item.seconds}
    usual = {name: median([item.seconds[name] for item in stale if name in item.seconds]) for name in names}
    if not usual:
        return None
    whole = 0.0
    for item in stale:
        steps = [] if item.page_only else [*item.detectors, "rest", *(["decode"] if item.decode else [])]
        whole += sum(item.seconds.get(step, usual.get(step, 0.0)) for step in [*steps, "page"])
    return whole
