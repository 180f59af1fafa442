"""Broken and hostile bytes give a session with a warning, or a `DecodeError`; nothing else, and soon."""

import gzip
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import squashlib
from squashlib.decode import decode
from squashlib.errors import DecodeError
from tests.fuzz import bombs
from tests.services import PATIENCE_S


@cache
def made() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.fit"
        match = squashlib.simulate(1, rate_hz=10)
        cut = match.session.sel(accel_time=slice(0, 60), gyro_time=slice(0, 60), hr_time=slice(0, 600))
        squashlib.write_fit(cut, path)
        return path.read_bytes()


@pytest.fixture(scope="module")
def recording() -> bytes:
    return made()


def tried(data: bytes) -> None:
    try:
        decode(data)
    except DecodeError as error:
        message = str(error)
    else:
        message = "a session"
    assert message


ROOT = Path(__file__).parents[2]


def test_bombs_cost_no_more_than_recordings() -> None:
    """Peak memory at most six times the file (and 16 MB for small ones), and no more than seconds."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.fuzz.bombs"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    costs = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(costs) == len(bombs.BOMBS)
    for cost in costs:
        assert cost["peak_mb"] <= 6 * cost["bytes"] / 2**20 + 16, cost
        assert cost["cpu_s"] < 30, cost
    results = {cost["name"]: cost["result"] for cost in costs}
    assert "720000" in results["motion"]


@pytest.mark.slow
def test_fuzzing_guided_by_coverage_finds_nothing(tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="atheris is not installed on this platform")
    same = ("-seed=1", "-runs=20000", "-max_total_time=12", "-timeout=300")  # a stalled machine is no slow decoder
    command = [sys.executable, "-m", "tests.fuzz.decode", *same, f"-artifact_prefix={tmp_path}/"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr[-3000:]


EDITS = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=12)


@settings(deadline=None, max_examples=120)
@given(EDITS, st.integers(0, 10**6))
def test_mutated_recordings(edits: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(made())
    for where, value in edits:
        data[where % len(data)] = value
    tried(bytes(data[: len(data) - cut % len(data) // 2]))


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=300))
def test_noise_after_a_header(noise: bytes) -> None:
    tried(bytes([14, 0x20, 0, 0]) + len(noise).to_bytes(4, "little") + b".FIT\0\0" + noise)
    tried(noise)
    tried(b"<gpx>" + noise)


def test_cut_short_and_wrong_checksum_are_warnings(recording: bytes) -> None:
    short = decode(recording[:-400])
    assert any("cut short" in warning for warning in short.attrs["warnings"])
    wrong = decode(recording[:-1] + bytes([recording[-1] ^ 1]))
    assert any("checksum" in warning for warning in wrong.attrs["warnings"])
    trailing = decode(recording + b"garbage")
    assert any("7 bytes" in warning for warning in trailing.attrs["warnings"])


def test_packed_recordings(recording: bytes) -> None:
    plain = decode(recording)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("__MACOSX/._m.fit", b"clutter")
        archive.writestr("../../m.fit", recording)
    for data in (gzip.compress(recording), packed.getvalue()):
        assert decode(data)["heart_rate"].equals(plain["heart_rate"])


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"hello world, no recording", "must be a FIT"),
        (gzip.compress(bytes(300 << 20), 1, mtime=0), "expands to more than"),
        (gzip.compress(b"x" * 100, mtime=0)[:-12], "cut short"),
        (b"PK\x03\x04 broken", "zip is damaged"),
        (b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><gpx>&b;</gpx>', "XML cannot be read"),
        (b"<gpx><trkpt lat='1' lon='2'/></gpx>", "no track point has a time"),
    ],
)
def test_what_is_no_recording_says_why(data: bytes, says: str) -> None:
    with pytest.raises(DecodeError, match=says):
        decode(data)


def test_many_members_are_refused() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for i in range(65):
            archive.writestr(f"{i}.fit", b"x")
    with pytest.raises(DecodeError, match="65 files"):
        decode(packed.getvalue())


GPX = b"""<?xml version="1.0"?>
<gpx creator="watch" xmlns="http://www.topografix.com/GPX/1/1" xmlns:t="x"><trk><type>Squash</type>
<trkseg>%s</trkseg></trk></gpx>"""
POINT = b"""<trkpt lat="51.5" lon="-0.1"><ele>12</ele><time>2026-01-01T10:00:%02dZ</time>
<extensions><t:hr>%d</t:hr></extensions></trkpt>"""
TCX = b"""<TrainingCenterDatabase><Activities><Activity Sport="Other"><Notes>Squash</Notes><Lap><Track>%s</Track></Lap>
</Activity></Activities></TrainingCenterDatabase>"""
TRACKPOINT = (
    b"""<Trackpoint><Time>2026-01-01T10:00:%02dZ</Time><HeartRateBpm><Value>%d</Value></HeartRateBpm></Trackpoint>"""
)


@pytest.mark.parametrize(("whole", "part"), [(GPX, POINT), (TCX, TRACKPOINT)])
def test_gpx_and_tcx(whole: bytes, part: bytes) -> None:
    session = decode(whole % b"".join(part % (i, 120 + i) for i in range(30)))
    assert session.attrs["sport"] == "squash"
    assert session.attrs["start_time"] == "2026-01-01T10:00:00.000Z"
    assert session["heart_rate"].values.tolist() == [120 + i for i in range(30)]


def test_both_ways_of_calling(recording: bytes, tmp_path: Path) -> None:
    (tmp_path / "m.fit").write_bytes(recording)
    a, b = squashlib.decode(str(tmp_path / "m.fit")), decode(recording)
    assert a["heart_rate"].equals(b["heart_rate"])
