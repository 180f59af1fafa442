"""Declare a refactor equivalent: today's code of a detector gives what the old code gave, on a sample of sessions."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from flows.keys import detector_prints, explain_hash
from flows.process import analysis_of, inputs_of
from squashlib.errors import SquashError
from store import Store
from store.made_by import EXPLAIN
from store.tables import AnalysisRow, Equivalence

if TYPE_CHECKING:
    from squashlib.analysis import Analysis
    from squashlib.detectors.framework import Findings

SAMPLE = 5
#: What differs between two runs of the same code.
VERSIONS = ("algorithm_version", "generated_at", "insight_id")


def declare_equivalent(store: Store, fingerprint: str) -> int:
    """Declare today's code equivalent to that of `fingerprint`, after comparing outputs on stored sessions.

    Returns
    -------
    int
        How many sessions were compared.

    Raises
    ------
    SquashError
        If no stored analysis has that fingerprint, or an output differs.
    """
    prints = {**detector_prints(), EXPLAIN: explain_hash()}
    with store.catalog.look() as tx:
        rows = list(tx.scalars(select(AnalysisRow).order_by(AnalysisRow.created_at.desc())))
    held = [(row, name) for row in rows for name in prints if row.fingerprints.get(name) == fingerprint]
    if not held:
        raise SquashError(f"no stored result has the fingerprint {fingerprint}; --plan shows what is stale")
    for row, name in held[:SAMPLE]:
        fresh = analysis_of(store, inputs_of(store, store.sessions.row(row.session_id), row.revision), {})
        if not _same(store, row, name, fresh):
            raise SquashError(f"'{name}' gives another result on session {row.session_id}; use --run instead")
    name = held[0][1]
    with store.catalog.begin() as tx:
        tx.merge(Equivalence(detector=name, fingerprint=prints[name], same_as=fingerprint))
    return len(held[:SAMPLE])


def _same(store: Store, row: AnalysisRow, name: str, fresh: "Analysis") -> bool:
    if name == EXPLAIN:
        return bool(_plain(fresh.to_dict()) == _plain(store.sessions.document(row.path)))
    return _found_same(fresh.findings[name], store.sessions.findings(row.path, [name])[name])


def _found_same(fresh: "Findings", kept: "Findings") -> bool:
    if fresh.groups.keys() != kept.groups.keys():
        return False
    values = {metric: result.value for metric, result in fresh.metrics.items()}
    return values == {metric: result.value for metric, result in kept.metrics.items()} and all(
        fresh.groups[group].equals(kept.groups[group]) for group in fresh.groups
    )


def _plain(document: Any) -> Any:
    """A document without what says by which code it was made, and when."""
    if isinstance(document, dict):
        return {name: _plain(value) for name, value in document.items() if name not in VERSIONS}
    return [_plain(value) for value in document] if isinstance(document, (list, tuple)) else document
