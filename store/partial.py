"""Recordings that are on their way: what came so far lies on this machine's disk, and who sends it beside."""

import json
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

KEEP_S = 7 * 86_400


def folder(home: Path) -> Path:
    """Where they lie, for nobody else on this machine to read."""
    made = home / "partial"
    made.mkdir(mode=0o700, parents=True, exist_ok=True)
    return made


def begin(home: Path, about: dict[str, Any]) -> uuid.UUID:
    """Make room for a recording: nothing of it is there yet."""
    upload_id = uuid.uuid4()
    (folder(home) / f"{upload_id}.part").touch(mode=0o600)
    (folder(home) / f"{upload_id}.json").write_text(json.dumps(about))
    return upload_id


def find(home: Path, upload_id: uuid.UUID) -> tuple[dict[str, Any], Path]:
    """What is known of a recording that is on its way, empty if none is; and the file with what came so far."""
    part = folder(home) / f"{upload_id}.part"
    with suppress(FileNotFoundError):
        return dict(json.loads(part.with_suffix(".json").read_text())), part
    return {}, part


def forget(part: Path) -> None:
    """Remove a recording that has arrived or is given up."""
    for path in (part, part.with_suffix(".json")):
        path.unlink(missing_ok=True)


def forget_old(home: Path) -> None:
    """Remove what has not grown for a week."""
    for path in folder(home).iterdir():
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - KEEP_S:
                path.unlink()


def erase(home: Path, **whose: str) -> None:
    """Remove what is on its way to a session (`session_id`) or from a person (`user_id`)."""
    for part in _parts(home):
        about, _ = find(home, uuid.UUID(part.stem))
        if about and all(about.get(name) == value for name, value in whose.items()):
            forget(part)


def _parts(home: Path) -> Iterator[Path]:
    if (home / "partial").is_dir():
        yield from (Path(entry.path) for entry in os.scandir(home / "partial") if entry.name.endswith(".part"))
