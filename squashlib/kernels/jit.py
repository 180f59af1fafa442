"""The one numba switch: lazy compilation, cached under a key of the sources.

numba's own cache looks at the file of the compiled function alone and serves stale machine code when a helper in
another file changes; a cache folder named after all kernel sources cannot.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])


def source_key(folder: Path = Path(__file__).parent) -> str:
    """Hash of every kernel's source."""
    digest = hashlib.sha256(np.__version__.encode())
    for path in sorted(folder.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def cache_folder() -> Path:
    """Where machine code of exactly these sources is kept."""
    home = os.environ.get("SQUASH_NUMBA_CACHE") or os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "squashlib" / f"numba-{source_key()}"


os.environ.setdefault("NUMBA_CACHE_DIR", str(cache_folder()))

import numba  # noqa: E402 - reads its cache folder from the environment at import


def kernel(function: F) -> F:
    """Compile at the first call; plain Python with NUMBA_DISABLE_JIT=1."""
    compiled: Any = numba.njit(cache=True, nogil=True)(function)
    return cast("F", compiled)
