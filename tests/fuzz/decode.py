"""Coverage-guided fuzzing of the decoders: `python -m tests.fuzz.decode [-max_total_time=SECONDS] [FOLDER]`.

Bytes give a session or a `DecodeError`; anything else, a second without an answer or a gigabyte is a finding, whose
bytes libFuzzer keeps as `crash-…` in the working folder. FOLDER collects what was interesting, for the next time.
"""

import gzip
import sys
import tempfile
import warnings
from pathlib import Path

import atheris

from squashlib.kernels import fit_motion, fit_scan  # before the instrumentation, which numba could not compile

with atheris.instrument_imports(include=["squashlib.decode"]):
    from squashlib.decode import (
        about,
        activity,
        archives,
        beats,
        clock,
        decode,
        developer,
        fit,
        gpx,
        layout,
        motion,
        presses,
        tcx,
        xml,
    )

from squashlib.errors import DecodeError
from tests.fuzz import seeds

LIMITS = ("-timeout=10", "-rss_limit_mb=2048", "-max_len=20000", "-len_control=0")
LOADED = (
    fit_motion,
    fit_scan,
    about,
    activity,
    archives,
    beats,
    clock,
    developer,
    fit,
    gpx,
    layout,
    motion,
    presses,
    tcx,
    xml,
)


def one(data: bytes) -> None:
    """What libFuzzer calls."""
    try:
        session = decode(data)
    except DecodeError:
        return
    assert session.attrs["duration_s"] >= 0


def main() -> None:
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        for name, data in seeds.seeds().items():
            (Path(folder) / name).write_bytes(data)
            (Path(folder) / f"{name}.gz").write_bytes(gzip.compress(data))
            one(data)  # compiles what it needs before the clock runs
        atheris.Setup([sys.argv[0], *LIMITS, *sys.argv[1:], folder], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
