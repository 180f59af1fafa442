"""Files that a power loss leaves as they were: on the disk before they have their name, and their name with them."""

import os
import secrets
import shutil
from pathlib import Path


def write(path: Path, content: bytes | Path) -> None:
    """Write bytes, or a copy of a file, whole: whoever finds the name finds all of it, after a crash too."""
    make_folder(path.parent)
    draft = path.with_name(f"{path.name}#{secrets.randbits(48)}")  # as obstore names its drafts, and never lists them
    try:
        with draft.open("xb") as target:
            if isinstance(content, bytes):
                target.write(content)
            else:
                with content.open("rb") as source:
                    shutil.copyfileobj(source, target, 1 << 20)
            target.flush()
            os.fsync(target.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    settle(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, each with its name on the disk."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    settle(folder.parent)


def settle(path: Path) -> None:
    """Have a file's content, or the names in a folder, on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def settle_tree(folder: Path) -> None:
    """Have a folder and all below it on the disk, with the names that lead there."""
    for inner, _, names in os.walk(folder):
        for name in names:
            settle(Path(inner, name))
        settle(Path(inner))
    settle(folder.parent)
    settle(folder.parent.parent)
