"""Every value of every recording, in physical units, is what Garmin's own SDK reads; fitparse agrees where it can."""

import math
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fitparse
import numpy as np
import pandas as pd
import pytest
from garmin_fit_sdk import Decoder, Profile, Stream

from squashlib.decode.messages import messages
from tests.fuzz import seeds

FIT = Path(__file__).parents[3] / "shared/data/fit"
FILES = sorted(path for path in FIT.glob("*") if path.suffix.lower() == ".fit")
EPOCH = datetime(1989, 12, 31, tzinfo=UTC)
shared = pytest.mark.skipif(not FILES, reason="the shared real recordings are not here")

#: Garmin's SDK reads one file of a chain at a time and stops at damage; where it does, we hold at least what it read.
MORE_THAN_GARMIN = {
    "activity-activity-filecrc.fit",
    "activity-settings-corruptheader.fit",
    "activity-settings-nodata.fit",
    "activity-settings.fit",
    "antfs-dump.63.fit",  # and at its compressed times
    "compressed-speed-distance.fit",
    "strava-android-app-201.10-b1218918.fit",
}


def garmin(path: Path) -> dict[str, list[dict[Any, Any]]]:
    """Plain values: no components expanded, no heart rates merged, nothing renamed."""
    found, _ = Decoder(Stream.from_byte_array(bytearray(path.read_bytes()))).read(
        expand_sub_fields=False, expand_components=False, merge_heart_rates=False
    )
    return found  # type: ignore[no-any-return]


#: Numbers that Garmin's SDK leaves as they are, though its own profile has words for them.
WORDS = {"native_mesg_num": "mesg_num", "fit_base_type_id": "fit_base_type"}


def plain(name: str, value: Any) -> Any:
    """Garmin's value where it is right, and what its profile says where it is not."""
    if name in WORDS:
        words = Profile["types"][WORDS[name]]
        return words.get(value, words.get(str(value), value))
    if name == "local_timestamp":
        return EPOCH + timedelta(seconds=value)
    if (
        isinstance(value, list)
        and isinstance(value[0], str)
        and not set(value[1:]) <= set(Profile["types"]["activity_type"].values())
    ):
        return value[0]  # text ends at its first NUL; what it calls further text is leftover memory
    return value


def same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, list):
        values = theirs if isinstance(theirs, list) else [theirs]
        values = [value for value in values if value is not None and value == value]
        return len(ours) == len(values) and all(map(same, ours, values))
    if isinstance(theirs, datetime):
        return bool(ours == theirs)
    if isinstance(theirs, (int, float)) and isinstance(ours, (int, float, np.number)):
        return math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-9)
    return str(ours) == str(theirs)


def differences(frame: pd.DataFrame, expected: list[dict[Any, Any]]) -> list[str]:
    found = []
    columns = {name: frame[name].tolist() for name in frame.columns}
    for i, message in enumerate(expected):
        for key, value in message.items():
            name = f"field_{key}" if isinstance(key, int) else key
            if key in ("developer_fields", "key") or value is None:
                continue
            if name not in columns:
                found.append(f"{i} {name} is missing, should be {value!r}")
            elif not same(columns[name][i], plain(name, value)):
                found.append(f"{i} {name} is {columns[name][i]!r}, should be {value!r}")
    return found


@shared
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_value_is_garmins(path: Path) -> None:
    ours, theirs = messages(path), garmin(path)
    for key, expected in theirs.items():
        name = f"message_{key}" if str(key).isdigit() else str(key).removesuffix("_mesgs")
        if path.name in MORE_THAN_GARMIN:
            assert len(ours[name]) >= len(expected)
        else:
            assert len(ours[name]) == len(expected), name
        assert differences(ours[name], expected)[:5] == [], name
    assert sum(map(len, ours.values())) >= sum(map(len, theirs.values())) > 0


@shared
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_records_are_fitparses(path: Path) -> None:
    rows = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for message in fitparse.FitFile(str(path), check_crc=False).get_messages("record"):
                rows.append({field.name: field.raw_value for field in message if field.field_def is not None})
    except fitparse.FitParseError:
        pass  # where it gives up, we go on
    ours = messages(path).get("record", pd.DataFrame())
    assert len(ours) >= len(rows)
    for name in ("heart_rate", "cadence", "temperature", "position_lat", "distance", "power"):
        scale = {"distance": 100}.get(name, 1)
        theirs = [np.nan if row.get(name) is None else row[name] / scale for row in rows]
        if any(value == value for value in theirs):
            mine = ours[name].to_numpy(dtype=float, na_value=np.nan)[: len(theirs)]
            np.testing.assert_allclose(mine, theirs, rtol=1e-9, err_msg=name)


def test_names_units_words_dates_and_developer_fields() -> None:
    found = messages(seeds.heart())
    record, event = found["record"], found["event"]
    assert record["timestamp"].iloc[0] == pd.Timestamp("2025-10-21T16:53:20Z")
    assert record["heart_rate"].tolist() == list(range(100, 130))
    assert record.attrs["units"]["heart_rate"] == "bpm"
    assert event["event"].tolist() == ["timer", "sport_point"]
    assert found["hrv"]["time"].tolist() == [[0.6, 0.61, 0.62]]
    assert found["session"]["sub_sport"].tolist() == ["squash"]
    scored = messages(seeds.scores(["player1score", "player2score"], [(0, 0), (1, 0)]))["record"]
    assert scored["player1score"].tolist()[1:] == [0, 1]
    assert pd.isna(scored["player1score"].iloc[0])
