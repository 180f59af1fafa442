"""What each kind of message means, on files written byte by byte, without the project's own writer."""

from pathlib import Path

import numpy as np
import pytest

from squashlib.decode import decode
from squashlib.decode.messages import messages
from squashlib.decode.motion import STANDARD_GRAVITY
from tests.fuzz import seeds
from tests.fuzz.seeds import EPOCH_S, define, fit, message

SHARED = Path(__file__).parents[3] / "shared/data/fit"
HEART = [define(1, 20, [(253, "I"), (3, "B")]), *(message(1, "IB", EPOCH_S + i, 100) for i in range(60))]


@pytest.mark.parametrize("big", [False, True])
def test_counts_are_calibrated_turned_and_dated_by_the_devices_clock(big: bool) -> None:
    session = decode(seeds.motion(big=big))
    g = STANDARD_GRAVITY / 2048
    # Sample s is (1 + s, -2 s, 3) counts above the level; the matrix makes it (y, -x, z).
    expected = [[-2 * s * g, -(1 + s) * g, 3 * g] for s in range(4)]
    assert session["acceleration"].values[:4] == pytest.approx(np.array(expected), abs=1e-6)
    assert session["angular_velocity"].values[1] == pytest.approx(np.radians([2, -2, 3]))
    # System time 100.250 s was EPOCH_S; the first message is of 101.5 s.
    assert session.attrs["start_time"] == "2025-10-21T16:53:21.250Z"
    assert session["accel_time"].values[:5] == pytest.approx([0, 0.01, 0.02, 0.03, 1.0])
    assert session.attrs["clock_corrections"] == [[100.25, EPOCH_S - 100.25]]


def test_odd_corners_of_the_format_in_one_recording() -> None:
    first = fit(
        define(0, 20, [(253, "I"), (3, "B")]),
        message(0, "IB", EPOCH_S, 100),
        define(1, 20, [(3, "B"), (29, "Q")]),  # no time: the header bears its last five bits; 64 bits are skipped over
        *(bytes([0xA0 | (EPOCH_S + i) % 32]) + bytes([100 + i]) + bytes(8) for i in range(1, 40)),
        define(2, 0xFF00, [(0, "4s"), (1, "3H"), (2, "q")]),  # nobody knows this message
        message(2, "4s3Hq", b"abc", 1, 2, 3, -1),
        define(0, 20, [(3, "B"), (253, "I")], big=True),  # the same local type means another layout now
        message(0, "BI", 255, EPOCH_S + 40, big=True),  # invalid
        message(0, "BI", 141, EPOCH_S + 41, big=True),
    )
    second = fit(define(0, 20, [(253, "I"), (3, "B")]), message(0, "IB", EPOCH_S + 50, 90))
    session = decode(first + second)
    held = dict(zip(session["hr_time"].values.round().tolist(), session["heart_rate"].values.tolist(), strict=True))
    bpm = {float(i): 100.0 + i for i in range(40)} | {41.0: 141.0, 50.0: 90.0}
    assert {time: value for time, value in held.items() if value == value} == bpm


def test_a_drifting_wall_clock_moves_sensors_and_nothing_else() -> None:
    correlate = [define(0, 162, [(253, "I"), (4, "H"), (1, "I"), (5, "H")])]
    correlate += [message(0, "IHIH", EPOCH_S + t, 0, EPOCH_S + t, ms) for t, ms in ((0, 0), (50, 500))]
    gyro = [define(2, 164, [(253, "I"), (0, "H"), (1, "2H"), *((5 + axis, "2f") for axis in range(3))])]
    gyro += [message(2, "IH2H6f", EPOCH_S + t, 0, 0, 20, *[1.0] * 6) for t in (0, 25)]
    session = decode(fit(*HEART, *correlate, *gyro))
    assert session["hr_time"].values.tolist() == list(range(60))
    assert session["gyro_time"].values == pytest.approx([0, 0.02, 24.75, 24.77], abs=0.003)


def test_compressed_milli_g_and_missing_samples() -> None:
    fields = [(253, "I"), (0, "H"), (1, "3H"), *((8 + axis, "3h") for axis in range(3))]
    values = [1000, 0x7FFF, -500], [0, 0x7FFF, 0x7FFF], [0, 0x7FFF, 250]
    flat = [value for axis in values for value in axis]
    session = decode(fit(define(0, 165, fields), message(0, "IH3H9h", EPOCH_S, 0, 0, 20, 40, *flat)))
    assert session["accel_time"].values.tolist() == [0.0, 0.04], "the sample without any axis is left out"
    expected = np.array([[1, 0, 0], [-0.5, np.nan, 0.25]]) * STANDARD_GRAVITY
    assert session["acceleration"].values == pytest.approx(expected, nan_ok=True)


def test_every_part_of_a_heart_recording() -> None:
    session = decode(seeds.heart())
    assert session.attrs["sport"] == "squash"
    assert session.attrs["device"] == {"manufacturer": "garmin", "product": "fenix5"}
    assert session.attrs["laps_s"] == [30.0]
    assert session.attrs["events"][0] == {"time_s": 0.0, "event": "timer", "type": "start", "data": 0}
    assert session["rr_interval"].values == pytest.approx([0.6, 0.61, 0.62])
    # The strap's own rates, anchored at 0.5 s and counted on in 1/1024 s, among those of the records outside.
    strap = session.sel(hr_time=slice(0.1, 8))
    ticks = np.array([1024, 1824, 2624, 3424, 4224, 5024, 5824, 6624, 7424]) - 1024
    assert strap["heart_rate"].values[:9].tolist() == [90, *range(90, 98)]
    assert strap["hr_time"].values[:9] == pytest.approx(0.5 + ticks / 1024, abs=1e-6)
    assert session["heart_rate"].values[[0, -1]].tolist() == [100, 129]


def test_beat_intervals_and_a_pause_between_beats() -> None:
    beats = [define(2, 290, [(253, "I"), (0, "H"), (1, "3H")]), message(2, "IH3H", EPOCH_S, 500, 600, 700, 65535)]
    session = decode(fit(*HEART, *beats))
    assert session["beat_time"].values == pytest.approx([1.1, 1.8])
    hrv = define(2, 78, [(0, "1H")])
    records = [message(1, "IB", EPOCH_S + t, 100) + message(2, "H", 1000) for t in (1, 2, 3, 60, 61)]
    session = decode(fit(HEART[0], hrv, message(1, "IB", EPOCH_S, 100), *records))
    assert session["beat_time"].values == pytest.approx([1, 2, 3, 59, 60], abs=1.01), "moved on after the pause"


@pytest.mark.skipif(not SHARED.exists(), reason="the shared real recordings are not here")
def test_every_rate_of_a_real_strap_is_garmins() -> None:
    from garmin_fit_sdk import Decoder, Stream

    path = SHARED / "event_timestamp.fit"
    messages, errors = Decoder(Stream.from_file(str(path))).read(merge_heart_rates=False)
    assert not errors
    expected, anchor = {}, (0.0, 0.0)
    for each in messages["hr_mesgs"]:
        ticks, rates = (np.atleast_1d(each[name]).tolist() for name in ("event_timestamp", "filtered_bpm"))
        if "timestamp" in each:
            anchor = each["timestamp"].timestamp() + each["fractional_timestamp"], ticks[0]
        expected |= {round(anchor[0] + tick - anchor[1], 3): rate for tick, rate in zip(ticks, rates, strict=True)}
    session = decode(path)
    start_s = np.datetime64(session.attrs["start_time"].removesuffix("Z"), "ms").astype(float) / 1000
    times = np.round(session["hr_time"].values + start_s, 3).tolist()
    found = dict(zip(times, session["heart_rate"].values.tolist(), strict=True))
    assert len(found) > 11_000
    shared = found.keys() & expected.keys()
    assert len(shared) > 0.99 * len(found)
    assert all(found[time] == expected[time] for time in shared)


@pytest.mark.parametrize("names", [("player1score", "player2score"), ("score_player_1", "score_player_2")])
def test_scores_of_developer_fields_are_points(names: tuple[str, str]) -> None:
    session = decode(seeds.scores(names, [(0, 0), (1, 0), (1, 0), (1, 1), (2, 1)]))
    assert session["point_time"].values.tolist() == [10, 30, 40]
    assert session["point_winner"].values.tolist() == [1, 2, 1]
    assert session["point_score_me"].values.tolist() == [1, 1, 2]


def test_a_fall_by_one_is_undone_and_a_greater_one_is_a_new_game() -> None:
    """A padel app keeps its running score so, and counts back when a press is undone."""
    rows = [(0, 0), (1, 0), (2, 0), (1, 0), (1, 1), (1, 1), (0, 0), (0, 1)]
    session = decode(seeds.scores(("my_points", "opponent_points"), rows))
    assert session["point_time"].values.tolist() == [10, 40, 70]
    assert session["point_winner"].values.tolist() == [1, 2, 2]
    assert session["point_game"].values.tolist() == [1, 1, 2]


def laps(names: tuple[str, str], games: list[tuple[int, int]], won: tuple[str, int, int] | None = None) -> bytes:
    """What apps write: at the end of each game a lap with its final score, at the very end one more, then the session.

    `won` (name of the first player's field, games of both) is in the session.
    """
    described = [*names, *((won[0], won[0].replace("1", "2")) if won else ())]
    parts = [define(4, 207, [(1, "16c"), (3, "B")]), bytes([4]) + bytes(17), define(5, 206, seeds.DESCRIPTION)]
    parts += [message(5, "BBB24s", 0, i, 1, name.encode()) for i, name in enumerate(described)]
    parts += [define(6, 19, [(253, "I")], [(0, 1, 0), (1, 1, 0)])]
    ends = [600 * (i + 1) for i in range(len(games))]
    for end, score in zip([*ends, ends[-1] + 20], [*games, games[-1]], strict=True):
        parts.append(message(6, "Ibb", EPOCH_S + end, *score))
    if won:
        parts += [define(7, 18, [(253, "I")], [(2, 1, 0), (3, 1, 0)]), message(7, "Ibb", EPOCH_S + 9999, *won[1:])]
    return fit(*HEART, *parts)


@pytest.mark.parametrize(
    ("names", "won"),
    [
        (("player1score", "player2score"), ("player1GameScore", 2, 1)),  # a squash app
        (("set_score_player_1", "set_score_player_2"), ("set_player_1", 2, 1)),  # a badminton app
        (("score_you", "score_opponent"), None),  # another squash app
        (("player_score", "opponent_score"), None),  # a roundnet app
    ],
)
def test_laps_of_score_apps_hold_final_scores_of_games(
    names: tuple[str, str], won: tuple[str, int, int] | None
) -> None:
    session = decode(laps(names, [(11, 7), (11, 7), (9, 11)], won))
    assert session["point_time"].values.tolist() == [600, 1200, 1800], "the lap of the end is no fourth game"
    assert session["point_score_me"].values.tolist() == [11, 11, 9]
    assert session["point_score_opponent"].values.tolist() == [7, 7, 11]
    assert session["point_game"].values.tolist() == [1, 2, 3]
    assert session["point_winner"].values.tolist() == [0, 0, 0], "who won which rally is not told"


def test_final_scores_of_the_profiles_own_fields_after_a_warm_up() -> None:
    own = [define(3, 19, [(253, "I"), (83, "H"), (74, "H")])]
    own += [message(3, "IHH", EPOCH_S + at, *score) for at, score in ((300, (0, 0)), (900, (15, 12)), (1500, (8, 11)))]
    session = decode(fit(*HEART, *own))
    assert session["point_score_me"].values.tolist() == [15, 8]
    assert session["point_time"].values.tolist() == [900, 1500]


def test_points_of_the_profiles_own_event() -> None:
    event = define(2, 21, [(253, "I"), (0, "B"), (1, "B"), (3, "I")])
    scores = [(1, 0), (1, 1), (2, 1)]
    presses = [message(2, "IBBI", EPOCH_S + 9 * i, 33, 3, me | other << 16) for i, (me, other) in enumerate(scores)]
    session = decode(fit(*HEART, event, *presses))
    assert session["point_score_opponent"].values.tolist() == [0, 1, 1]
    assert session["point_winner"].values.tolist() == [1, 2, 1]


def test_zones_of_the_whole_session() -> None:
    fields = [(253, "I"), (0, "H"), (11, "B"), (12, "B"), (6, "3B"), (2, "3I")]
    zones = [define(2, 216, fields)]
    zones += [message(2, "IHBB3B3I", EPOCH_S, about, 190, 50, 120, 150, 255, 1000, 2500, 0) for about in (18, 19)]
    held = decode(fit(*HEART, *zones)).attrs["time_in_zone"]
    assert held["max_heart_rate"] == 190
    assert held["hr_zone_high_boundary"] == [120, 150]
    assert held["time_in_hr_zone"] == [1.0, 2.5, 0.0]


def test_garmin_connects_exports() -> None:
    track = decode(seeds.gpx())
    assert track.attrs["sport"] == "squash", "by its name"
    assert track["heart_rate"].values.tolist() == [120, 121, 122]
    assert track["skin_temperature"].values.tolist() == [21, 21, 21]
    assert track["cadence"].values.tolist() == [70, 70, 70]
    training = decode(seeds.tcx())
    assert training.attrs["device"] == {"name": "Forerunner 965"}
    assert training["heart_rate"].values.tolist() == [120, 121, 122]
    assert training["cadence"].values.tolist() == [62, 62, 62]


@pytest.mark.skipif(not SHARED.exists(), reason="the shared real recordings are not here")
def test_positions_of_a_damaged_recording_are_garmins_but_for_one_time_told_twice_and_one_years_away() -> None:
    path = SHARED / "strava-android-app-201.10-b1218918.fit"
    record = messages(path)["record"].dropna(subset=["position_lat"])
    assert len(record) == 237, "as many as Garmin's SDK reads"
    assert record["timestamp"].nunique() == 236
    session = decode(path)
    assert session.sizes["gps_time"] == 235
    assert any("more than a day from the others" in warning for warning in session.attrs["warnings"])
