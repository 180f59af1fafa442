"""The one numba switch: lazy compilation, cached under a key of the sources.

numba's own cache looks at the file of the compiled function alone and serves stale machine code when a helper in
another file changes; a cache folder named after all kernel sources, numba and numpy cannot, wherever it lies.
"""

import contextlib
import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np

CONFIG: Any = numba.config
F = TypeVar("F", bound=Callable[..., Any])
OURS = re.compile("numba-[0-9a-f]{16}")
UNUSED_S = 30 * 86400.0


def source_key(folder: Path = Path(__file__).parent) -> str:
    """Hash of every kernel's source and of what compiles it."""
    digest = hashlib.sha256(f"{np.__version__} {numba.__version__}".encode())
    for path in sorted(folder.glob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def cache_folder() -> Path:
    """Where machine code of exactly these sources is kept: below `NUMBA_CACHE_DIR` if that is set."""
    name = f"numba-{source_key()}"
    if outside := os.environ.get("NUMBA_CACHE_DIR"):
        return Path(outside) / name
    home = os.environ.get("SQUASH_NUMBA_CACHE") or os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "squashlib" / name


def used(folder: Path) -> None:
    """Mark the folder of these sources as used; those of others that nobody used for a month are removed.

    Only on days on which it was not marked yet, so that almost no start pays for it.
    """
    now = time.time()
    with contextlib.suppress(OSError):  # the first call makes the folder; another process may remove one meanwhile
        if now - folder.stat().st_mtime < UNUSED_S / 30:
            return
        os.utime(folder)
        for other in folder.parent.iterdir():
            if other != folder and OURS.fullmatch(other.name) and now - other.stat().st_mtime > UNUSED_S:
                shutil.rmtree(other, ignore_errors=True)


FOLDER = cache_folder()
used(FOLDER)


def is_compiled() -> bool:
    """Whether these sources were compiled before on this machine (the first time takes some seconds)."""
    return FOLDER.is_dir() or bool(CONFIG.DISABLE_JIT)


def kernel(function: F) -> F:
    """Compile at the first call; plain Python with NUMBA_DISABLE_JIT=1."""
    before, CONFIG.CACHE_DIR = CONFIG.CACHE_DIR, str(FOLDER)  # read when a function is decorated
    try:
        compiled: Any = numba.njit(cache=True, nogil=True)(function)
    finally:
        CONFIG.CACHE_DIR = before  # other users of numba keep theirs
    return cast("F", compiled)
