"""Files of event groups are plain Zarr: xarray reads them as it reads its own, and so do we."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr.storage

import squashlib
from squashlib import session as sessions
from squashlib.zarr_files import from_files, group_of, to_files, zipped


def test_xarray_reads_what_it_would_have_written_itself(tmp_path: Path) -> None:
    match = squashlib.simulate(4, rate_hz=10)
    empty = {"nothing": xr.Dataset({"nothing_time": ("nothing", np.zeros(0))}, attrs={"start": "x"})}
    groups = squashlib.analyse(match.session, match.points).groups | empty
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "zarr.json").write_text('{"attributes": {}, "zarr_format": 3, "node_type": "group"}')
    for name, group in groups.items():
        sessions.write(group, tmp_path / "theirs", group=name)
        files = dict(to_files(group))
        for path, content in files.items():
            (tmp_path / "ours" / name / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "ours" / name / path).write_bytes(content)
        theirs = sessions.read(tmp_path / "theirs", group=name)
        xr.testing.assert_identical(sessions.read(tmp_path / "ours", group=name), theirs)
        xr.testing.assert_identical(from_files(files), theirs)
    assert sessions.groups(tmp_path / "ours") == sorted(groups)


def test_an_archive_of_groups_is_one_file_that_zarr_opens(tmp_path: Path) -> None:
    group = xr.Dataset({"a": ("x", np.arange(3.0)), "b": ("x", np.arange(3, dtype="i2"))}, attrs={"n": 1})
    archive = zipped((f"events/{name}", content) for name, content in to_files(group))
    xr.testing.assert_identical(group_of(archive, "events"), group)
    (tmp_path / "events.zarr.zip").write_bytes(archive)
    with zarr.storage.ZipStore(tmp_path / "events.zarr.zip", mode="r") as store:
        xr.testing.assert_identical(sessions.read(store, group="events"), group)
    assert archive == zipped((f"events/{name}", content) for name, content in to_files(group))


def test_what_it_cannot_hold_or_read_is_refused() -> None:
    with pytest.raises(TypeError, match="must be numbers"):
        list(to_files(xr.Dataset({"name": ("x", ["a"])})))
    files = dict(to_files(xr.Dataset({"a": ("x", [1.0])})))
    files["a/zarr.json"] = files["a/zarr.json"].replace(b"zstd", b"gzip")
    with pytest.raises(ValueError, match="read it with xarray"):
        from_files(files)
