"""Bring a platform back from its copies: `python -m store.restore [--day 2026-01-31]`, into an empty `SQUASH_HOME`.

Blobs first, the catalog last: killed at any instant, it is simply called again. Of a catalog on PostgreSQL this makes
the tables; `pg_restore` fills them (see `flows/README.md`).
"""

import argparse
import hashlib
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from sqlalchemy import select

from squashlib.errors import NotFoundError, SquashError
from store import Settings, Store
from store.backup import BLOBS, CATALOG, KEY, opened
from store.blobs import Blobs
from store.settings import load
from store.tables import Upload


def restore(settings: Settings, day: str | None = None) -> dict[str, int]:
    """Put everything where `settings` say, as it was on `day` (default: the last one copied).

    Returns
    -------
    dict
        `copied`, count of blobs; of recordings that the catalog names, how many were `read` and are what was sent, and
        how many are `absent`, as those are that their players did not want kept.

    Raises
    ------
    SquashError
        If there is no such copy, a catalog is there already, or a recording is not what was sent.
    """
    source = opened(settings.backups_url)
    catalog = None if settings.database_url else _chosen(source, day)
    place = settings.home / "catalog.sqlite"
    if catalog is not None and place.exists():
        raise SquashError(f"{place} is there already; set SQUASH_HOME to an empty folder, or move it away")
    settings.home.mkdir(parents=True, exist_ok=True)
    copied = _copy(source, Blobs(settings.blobs_url))
    if source.exists(KEY) and not (settings.home / KEY).exists():
        _write(settings.home / KEY, source.get(KEY))
    if catalog is not None:
        _write(place, source.get(catalog))
    return {"copied": copied, **_verified(Store.open(settings))}


def _chosen(source: Blobs, day: str | None) -> str:
    names = sorted(name for name in source.list(CATALOG) if name.endswith(".sqlite"))
    days = {Path(name).stem: name for name in names}
    if not days or (day is not None and day not in days):
        raise SquashError(f"{source.url} has no copy of {day or 'any day'}; there are: {', '.join(days) or 'none'}")
    return days[day] if day else names[-1]


def _copy(source: Blobs, target: Blobs) -> int:
    there = set(target.list(""))
    names = [name.removeprefix(f"{BLOBS}/") for name in source.list(BLOBS)]
    lacking = [name for name in names if name not in there]
    for name in lacking:
        target.put(name, source.get(f"{BLOBS}/{name}"))
    return len(lacking)


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, and for its user alone."""
    with NamedTemporaryFile(dir=path.parent, delete=False) as draft:  # mode 600
        draft.write(content)
    Path(draft.name).replace(path)


def _verified(store: Store) -> dict[str, int]:
    with store.catalog.look() as tx:
        hashes = set(tx.scalars(select(Upload.sha256).distinct()))
    read = 0
    for sha256 in hashes:
        with suppress(NotFoundError):
            if hashlib.sha256(store.uploads.read(sha256)).hexdigest() != sha256:
                raise SquashError(f"recording {sha256} is not what was sent: this copy is damaged, take an older one")
            read += 1
    store.catalog.close()
    return {"read": read, "absent": len(hashes) - read}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m store.restore", description=__doc__)
    parser.add_argument("--day", help="of the catalog's copy, as 2026-01-31; the last one by default")
    options = parser.parse_args()
    try:
        done = restore(load(), options.day)
    except SquashError as error:
        sys.exit(f"nothing is lost, but it is not restored: {error}")
    sys.stdout.write(f"Restored: {done['copied']} blobs; {done['read']} recordings read, {done['absent']} absent.\n")


if __name__ == "__main__":
    main()
