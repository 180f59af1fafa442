"""`squash dataset OUT.zarr`: consented, labelled sessions as one Zarr with a datasheet, to be cited in a paper."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from squashlib.errors import SquashError
from squashlib.labels import KINDS, LabelSet
from store import Store, research
from store.datasheet import datasheet

if TYPE_CHECKING:
    import xarray as xr

SCHEMA = "squash-dataset/1"


@dataclass(frozen=True)
class Terms:
    """How the data set is called and may be used."""

    title: str = "Labelled squash sessions"
    version: str = "1.0"
    licence: str = "CC BY-NC 4.0"
    creator: str = "the squashlib contributors"


def export(store: Store, target: Path, terms: Terms) -> dict[str, Any]:
    """Write the data set whole or not at all; what its root attributes say of it.

    One group a session (its pseudonym), with `labels_AUTHOR` beside the streams. The datasheet is the root's attribute
    `datasheet` and a file beside the Zarr: a text file within would make zarr warn every reader.

    Raises
    ------
    SquashError
        If the target is there already, or no consented session is labelled.
    """
    if target.exists():
        raise SquashError(f"'{target}' is there already; data sets are never written over, give another name")
    rows = research.find(store, labelled=True)
    if not rows:
        raise SquashError("no consented session is labelled; label some in notebooks/label_rallies.ipynb")
    draft = target.with_name(target.name + ".draft")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        held = [_write(store, draft, row) for row in sorted(rows, key=lambda row: str(row["session_id"]))]
        about = _about(terms, rows, held)
        sheet = datasheet(about, rows, held)
        _describe(draft, about | {"datasheet": sheet})
        sheet_path(target).write_text(sheet, encoding="utf-8")
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return about


def sheet_path(target: Path) -> Path:
    """Where the datasheet of a data set lies."""
    return target.with_name(f"{target.stem}.README.md")


def _write(store: Store, draft: Path, row: Mapping[str, Any]) -> dict[str, Any]:
    """Write one session and its labels; what the datasheet tells of it."""
    from squashlib import session as sessions

    name = str(row["session_id"])
    session = research.open_session(store, name, reader="data set").session
    marked = session.assign_attrs(player_id=row["player_id"])
    sessions.write(marked, draft, group=name)
    sets = research.label_sets(store, name)
    for labels in sets:
        sessions.write(label_group(labels), draft, group=f"{name}/labels_{_plain(labels.author)}")
    return {"session": sessions.describe(session), "sets": sets, "content": _content(session, sets)}


def _plain(author: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in author)


def label_group(labels: LabelSet) -> "xr.Dataset":
    """A label set as arrays, dim `label`: start and stop in seconds (stop NaN for a moment), kind, confidence."""
    import numpy as np
    import xarray as xr

    flags = {"flag_values": list(range(len(KINDS))), "flag_meanings": " ".join(KINDS)}
    nan = float("nan")
    start = np.array([label.start_s for label in labels.labels], np.float64)
    stop = np.array([nan if x.stop_s is None else x.stop_s for x in labels.labels], np.float64)
    sure = np.array([nan if x.confidence is None else x.confidence for x in labels.labels], np.float32)
    kind = np.array([KINDS.index(label.kind) for label in labels.labels], np.int8)
    data = {
        "label_start": ("label", start, {"units": "s", "long_name": "since the session's start"}),
        "label_stop": ("label", stop, {"units": "s", "long_name": "since the session's start; NaN: a moment"}),
        "label_kind": ("label", kind, flags),
        "label_confidence": ("label", sure, {"units": "1", "long_name": "a detector's; NaN: set by a person"}),
    }
    attrs = {"author": labels.author, "version": labels.version, "created": labels.created, "base": dict(labels.base)}
    return xr.Dataset(data, attrs=attrs)


def _content(session: "xr.Dataset", sets: Sequence[LabelSet]) -> str:
    """Hash of a session's values and labels."""
    from squashlib.fingerprint import content_hash

    measured = [(str(name), session[name].values.tobytes().hex()) for name in sorted(session.variables, key=str)]
    return content_hash(measured, [labels.to_dict() for labels in sets])


def _about(terms: Terms, rows: Sequence[Mapping[str, Any]], held: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    from squashlib.fingerprint import content_hash

    fingerprint = content_hash([each["content"] for each in held])
    today = datetime.now(UTC).date()
    cite = f"{terms.creator[0].upper()}{terms.creator[1:]} ({today.year}). {terms.title}, version {terms.version}"
    return {
        "schema": SCHEMA,
        "title": terms.title,
        "version": terms.version,
        "licence": terms.licence,
        "creator": terms.creator,
        "created": today.isoformat(),
        "sha256": fingerprint,
        "sessions": len(rows),
        "players": len({row["player_id"] for row in rows}),
        "citation": f"{cite} [data set]. sha256 {fingerprint[:16]}. {terms.licence}.",
    }


def _describe(draft: Path, about: Mapping[str, Any]) -> None:
    import zarr

    zarr.open_group(str(draft), mode="a", zarr_format=3).attrs.update(dict(about))


def command(*, target: Path, terms: Mapping[str, str]) -> int:
    """`squash dataset`; returns the exit status."""
    about = export(Store.open(), target, Terms(**terms))
    print(f"{target}: {about['sessions']} sessions of {about['players']} players; datasheet {sheet_path(target)}")
    print(about["citation"])
    return 0
