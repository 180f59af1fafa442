"""Bytes that no journal row names: uploads whose transaction never came.

An upload's bytes are stored before its row, so a fresh blob without a row may be an upload under way, and a client may
send an old one again at any moment. Nothing is therefore removed at once: what has had no row for a day is set aside,
put back as soon as a row names it, and removed after a week.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select

from squashlib.errors import NotFoundError
from squashlib.moments import iso, parse_iso
from store import Store
from store.tables import Upload, now
from store.uploads import ASIDE, hash_of

UNDER_WAY = timedelta(days=1)
KEPT = timedelta(days=7)
SEEN = "nightly/orphans.json"


def sweep(store: Store, moment: datetime | None = None) -> dict[str, int]:
    """Set orphans aside, put back what is named again, remove what nobody named for a week; counts of each."""
    moment, seen = moment or now(), _seen(store)
    back = _put_back(store, _journaled(store))
    orphans = [name for name in store.blobs.list("uploads") if hash_of(name) not in _journaled(store)]
    aside = [name.removeprefix(ASIDE) for name in store.blobs.list(ASIDE.rstrip("/"))]
    since = {name: seen.get(name, moment) for name in [*orphans, *aside]}
    moved = [name for name in orphans if moment - since[name] >= UNDER_WAY]
    for name in moved:
        store.blobs.put(ASIDE + name, store.blobs.get(name))
        store.blobs.delete(name)
    back += _put_back(store, _journaled(store))  # rows that came while their bytes were moved
    gone = [name for name in aside if moment - since[name] >= KEPT and store.blobs.exists(ASIDE + name)]
    for name in gone:
        store.blobs.delete(ASIDE + name)
    left = {name: iso(first) for name, first in since.items() if name not in gone}
    store.blobs.put(SEEN, json.dumps(left).encode())
    return {"set_aside": len(moved), "put_back": back, "removed": len(gone)}


def _put_back(store: Store, journaled: frozenset[str]) -> int:
    names = [name for name in store.blobs.list(ASIDE.rstrip("/")) if hash_of(name) in journaled]
    for name in names:
        store.blobs.put(name.removeprefix(ASIDE), store.blobs.get(name))
        store.blobs.delete(name)
    return len(names)


def _seen(store: Store) -> Mapping[str, datetime]:
    try:
        return {name: parse_iso(first) for name, first in json.loads(store.blobs.get(SEEN)).items()}
    except NotFoundError:
        return {}


def _journaled(store: Store) -> frozenset[str]:
    with store.catalog.look() as tx:
        return frozenset(tx.scalars(select(Upload.sha256).distinct()))
