"""Every value of every recording equals what fitparse and fitdecode read, or it is said why not."""

import contextlib
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fitdecode
import numpy as np
import pytest

from squashlib.decode import fit
from squashlib.errors import DecodeError

FIT = Path(__file__).parents[3] / "shared/data/fit"
FILES = sorted(path for path in FIT.glob("*") if path.suffix.lower() == ".fit")
pytestmark = pytest.mark.skipif(not FILES, reason="the shared real recordings are not here")

FIT_EPOCH = datetime(1989, 12, 31, tzinfo=UTC)
#: Where the oracle is at fault: it stops at the first damaged file of a chain, or refuses what it could still read.
ORACLE_STOPS = {
    "activity-settings-corruptheader.fit",
    "activity-settings-nodata.fit",
    "strava-android-app-201.10-b1218918.fit",
}


def oracle(path: Path) -> list[fitdecode.FitDataMessage]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reader = fitdecode.FitReader(
            str(path), check_crc=fitdecode.CrcCheck.DISABLED, error_handling=fitdecode.ErrorHandling.IGNORE
        )
        frames = []
        with reader, contextlib.suppress(fitdecode.FitError):  # where it gives up, we go on
            for frame in reader:
                if isinstance(frame, fitdecode.FitDataMessage):
                    frames.append(frame)
        return frames


def ours(path: Path) -> dict[int, tuple[fit.Table, int]]:
    tables = fit.read(path.read_bytes()).tables
    return {int(rank): (table, i) for table in tables for i, rank in enumerate(table.rank)}


def raw_of(table: fit.Table, i: int, num: int) -> Any:
    column = table.column(num)
    assert column is not None
    value = column[i]
    return value.tolist() if isinstance(value, np.ndarray) else value.item() if hasattr(value, "item") else value


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_message_and_raw_value_is_the_oracles(path: Path) -> None:
    by_rank = ours(path)
    frames = oracle(path)
    if path.name in ORACLE_STOPS:
        assert len(by_rank) >= len(frames)
    else:
        assert len(by_rank) == len(frames)
    compared = 0
    for rank, frame in enumerate(frames):
        table, i = by_rank[rank]
        assert table.layout.num == frame.def_mesg.global_mesg_num, f"message {rank}"
        for definition in frame.def_mesg.field_defs:
            held = [f for f in frame.fields if f.field_def is definition and f.parent_field is None]
            if not held or held[0].raw_value is None or isinstance(held[0].raw_value, (str, bytes)):
                continue
            expected = held[0].raw_value
            got = raw_of(table, i, definition.def_num)
            wanted = list(expected) if isinstance(expected, tuple) else expected
            got = [got] if isinstance(wanted, list) and not isinstance(got, list) else got
            if isinstance(wanted, list):
                assert [g for g, w in zip(got, wanted, strict=True) if w is not None] == [
                    w for w in wanted if w is not None
                ]
            elif isinstance(wanted, float):
                assert got == pytest.approx(wanted, nan_ok=True)
            else:
                assert got == wanted, f"message {rank} field {definition.def_num}"
            compared += 1
    assert compared > 0


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_heart_rates_are_the_oracles(path: Path) -> None:
    import squashlib

    expected = {}
    for frame in oracle(path):
        if frame.name == "record" and frame.has_field("heart_rate") and frame.get_value("heart_rate"):
            moment = frame.get_value("timestamp", fallback=None)
            if isinstance(moment, int):  # of a compressed header, which fitdecode leaves as it is
                moment = FIT_EPOCH + timedelta(seconds=moment)
            if moment is not None:  # without a time it has no place in a session
                expected[moment] = frame.get_value("heart_rate")
    try:
        session = squashlib.decode(path)
    except DecodeError:
        assert not expected
        return
    if not expected:
        return
    start = np.datetime64(session.attrs["start_time"].removesuffix("Z"))
    moments = start + (session["hr_time"].values * 1000).round().astype("timedelta64[ms]")
    held = dict(zip(moments.astype("datetime64[s]").tolist(), session["heart_rate"].values.tolist(), strict=True))
    assert held == {moment.replace(tzinfo=None): float(bpm) for moment, bpm in expected.items()}
