"""A folder read by numpy alone is what xarray reads; what is not plain is left to xarray."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import squashlib
from squashlib import session as sessions
from squashlib.plain_zarr import read_folder


def by_xarray(folder: Path, group: str | None = None) -> xr.Dataset:
    opened = xr.open_zarr(folder, group=group, decode_times=False, consolidated=False, chunks=None)
    return opened.load().drop_encoding()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A match whose motion takes several chunks, one of them of nothing but NaN, with its events as groups."""
    match = squashlib.simulate(4, rate_hz=25)
    session, target = match.session.copy(deep=True), tmp_path_factory.mktemp("plain") / "s.zarr"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sessions, "CHUNK_BYTES", 1 << 18)
        rows = sessions.chunks(session["acceleration"].variable)[0]
        assert 2 * rows < session.sizes["accel_time"] < 5 * rows, "the match has to take some chunks"
        session["acceleration"][:rows] = np.nan
        sessions.write(session, target)
    for name, group in squashlib.analyse(match.session, match.points).groups.items():
        sessions.write(group, target, group=name)
    return target


def test_it_is_what_xarray_reads(folder: Path) -> None:
    held = read_folder(folder)
    assert held is not None
    xr.testing.assert_identical(held, by_xarray(folder))
    assert np.isnan(held["acceleration"].values[0]).all()
    for name in sessions.groups(folder):
        found = read_folder(folder / name)
        assert found is not None
        xr.testing.assert_identical(found, by_xarray(folder, name))


def test_motion_is_left_out_unread(folder: Path) -> None:
    thin = read_folder(folder, sessions.MOTION)
    assert thin is not None
    xr.testing.assert_identical(thin, by_xarray(folder).drop_dims(sessions.MOTION))


@pytest.mark.parametrize(
    "odd",
    [
        xr.Dataset({"names": ("x", np.array(["a", "b"]))}),
        xr.Dataset({"one": ((), 1.0)}),
        xr.Dataset({"a": ("x", [1.0])}, {"beside": ("x", [2.0])}),
        xr.Dataset({"packed": ("x", np.array([1, 2], "i2"), {"scale_factor": 0.5})}),
    ],
    ids=["text", "scalar", "coordinate", "scaled"],
)
@pytest.mark.filterwarnings("ignore:The data type")
def test_what_is_not_plain_is_left_to_xarray(odd: xr.Dataset, tmp_path: Path) -> None:
    odd.to_zarr(tmp_path / "odd", zarr_format=3, consolidated=False)
    assert read_folder(tmp_path / "odd") is None
    xr.testing.assert_identical(sessions.read(tmp_path / "odd").drop_encoding(), by_xarray(tmp_path / "odd"))


def test_no_group_is_none(tmp_path: Path) -> None:
    assert read_folder(tmp_path) is None
    with pytest.raises(FileNotFoundError):
        sessions.read(tmp_path / "nowhere")
