"""Researchers' part of the store: pseudonyms, label versions, the leaderboard, the data set; consent rules them all."""

import json
import threading
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr
from sqlalchemy import select, update

import squashlib
from squashlib.errors import NotFoundError, SquashError
from squashlib.labels import KINDS, Label, LabelSet
from squashlib.moments import parse_iso
from squashlib.session import build, iso
from store import Settings, Store, example, labels, leaderboard, research
from store.dataset import Terms, export
from store.tables import AccessLog, PointEvent, SessionRow, User

START = datetime(2026, 3, 14, 18, 30, tzinfo=UTC)
RALLIES = (Label("rally", 1.0, 9.0), Label("rally", 20.0, 31.0), Label("stroke", 2.5))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(Settings(home=tmp_path / "home"))


def played(store: Store, *, consent: bool = True) -> str:
    """A session with heart rate and position of a new player."""
    user_id, session_id = str(uuid.uuid4()), str(uuid.uuid4())
    with store.catalog.begin() as tx:
        tx.add(User(user_id=user_id, email=f"{user_id}@example.org", research_consent=consent))
        tx.flush()
        tx.add(SessionRow(session_id=session_id, user_id=user_id, start_time=START, opponent_name="Bob", notes="x"))
        tx.flush()
        press = {"timestamp": iso(START.replace(second=31)), "winner": "me"}
        tx.add(PointEvent(session_id=session_id, user_id=user_id, point_id="p", op="add", body=press))
    times = np.arange(40.0)
    streams = {
        "hr_time": (times, {"heart_rate": 100 + times}),
        "gps_time": (times, {"latitude": 50 + times / 1e4, "longitude": times / 1e4}),
    }
    session = build(
        streams,
        start_time=START,
        duration_s=40,
        device={"serial": 4711},
        sources=[{"sha256": "a", "format": "fit", "bytes": 1}],
        warnings=["anns_match.fit: cut short"],
        session_id=session_id,
        extra={"laps": [{"name": "Ann"}]},
    )
    store.sessions.write_revision(session_id, "r" * 64, session)
    return session_id


def labelled(store: Store, session_id: str, author: str = "ann") -> LabelSet:
    return labels.save(store.catalog, session_id, LabelSet(session_id, iso(START), author, RALLIES))


def test_versions_are_kept_and_never_changed(store: Store) -> None:
    session_id = played(store)
    first = labelled(store, session_id)
    assert labelled(store, session_id) == first, "the same labels are one version"
    second = labels.save(store.catalog, session_id, first.succeeded(RALLIES[:1]))
    other = labelled(store, session_id, "ben")
    assert (first.version, second.version, other.version) == (1, 2, 1)
    assert second.base == {"author": "ann", "version": 1}
    assert labels.of_session(store.catalog, session_id) == [first, second, other]
    assert labels.newest(store.catalog, session_id) == [second, other]
    with pytest.raises(NotFoundError, match="labels need one"):
        labelled(store, "nobody's")


def test_two_saving_at_once_get_two_versions(store: Store) -> None:
    session_id = played(store)
    made = [LabelSet(session_id, iso(START), "ann", (Label("rally", i, i + 1),)) for i in range(6)]
    threads = [threading.Thread(target=labels.save, args=(store.catalog, session_id, each)) for each in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.version for each in labels.of_session(store.catalog, session_id)] == [1, 2, 3, 4, 5, 6]


def test_only_consented_sessions_are_seen_and_nothing_names_the_player(store: Store) -> None:
    mine, other = played(store), played(store, consent=False)
    ((row,), key) = research.find(store), store.settings.secret_key()
    assert row["session_id"] == research.pseudonym(key, mine)
    opened = research.open_session(store, row["session_id"])
    told = repr(
        (row, opened.session.attrs, sorted(opened.session.variables), [v.attrs for v in opened.session.values()])
    )
    told += repr(opened.session["hr_time"].attrs)
    for secret in (mine, "Bob", "4711", "2026-03-14", "18:30", "anns_match", "Ann", "latitude"):
        assert secret not in told
    assert opened.session.attrs["start_time"] == "2026-03-01T00:00:00.000Z"
    assert (opened.session["heart_rate"].values == 100 + np.arange(40)).all()
    assert [(point.time_s, point.winner) for point in opened.points] == [(31.0, "me")]
    with store.catalog.look() as tx:
        assert [entry.session_id for entry in tx.scalars(select(AccessLog))] == [mine]
    with pytest.raises(NotFoundError, match="no consented session"):
        research.open_session(store, research.pseudonym(key, other))
    with store.catalog.begin() as tx:
        tx.execute(update(User).values(research_consent=False))
    with pytest.raises(NotFoundError):
        research.label_sets(store, row["session_id"])


def test_a_researchers_labels_come_back_alike(store: Store) -> None:
    played(store)
    name = research.find(store)[0]["session_id"]
    made = LabelSet(name, "2026-03-01T00:00:00.000Z", "ann", RALLIES)
    kept = research.save_labels(store, made)
    assert kept == made
    assert research.label_sets(store, name) == [made]
    research.save_labels(store, replace(made, labels=RALLIES[:2], author="ben"))
    assert research.find(store, labelled=True)[0]["labels"] == "ann v1, ben v1"
    (case,) = research.cases(store, author="ann")
    assert [r["start"][11:] for r in case.truth["rallies"]] == ["00:00:01.000Z", "00:00:20.000Z"]
    assert case.truth["start"] == case.session.attrs["start_time"]
    assert case.labelled_by == "ann v1"


def test_the_leaderboard_keeps_rows_as_they_were(store: Store) -> None:
    rows = [{"time": f"2026-01-0{day}T00:00:00.000Z", "algorithm": f"a{day}", "parameters": {}} for day in (2, 1)]
    ids = [leaderboard.add(store.blobs, row) for row in rows]
    assert leaderboard.add(store.blobs, rows[0]) == ids[0]
    assert leaderboard.rows(store.blobs) == [{**rows[1], "id": ids[1]}, {**rows[0], "id": ids[0]}]
    assert leaderboard.to_mlflow(rows, "") == 0
    with pytest.raises(NotFoundError, match="not on the leaderboard"):
        leaderboard.row(store.blobs, "x")


def test_the_data_set_is_whole_citable_and_without_names(store: Store, tmp_path: Path) -> None:
    mine, other = played(store), played(store)
    played(store, consent=False)
    for session_id in (mine, other):
        labelled(store, session_id, "ann smith")
    target = tmp_path / "out.zarr"
    about = export(store, target, Terms(title="Squash at the club", version="2.1", licence="CC BY 4.0"))
    root = zarr.open_group(str(target), mode="r")
    sheet = (tmp_path / "out.README.md").read_text()
    assert dict(root.attrs) == about | {"datasheet": sheet}
    assert sorted(root.group_keys()) == sorted(row["session_id"] for row in research.find(store, labelled=True))
    name = sorted(root.group_keys())[0]
    with xr.open_zarr(target, group=name, consolidated=False) as session:
        assert session.attrs["player_id"] in {row["player_id"] for row in research.find(store)}
        assert "latitude" not in session
        assert session["heart_rate"].shape == (40,)
    with xr.open_zarr(target, group=f"{name}/labels_ann_smith", consolidated=False) as held:
        kinds = [KINDS[int(kind)] for kind in held["label_kind"]]
        assert kinds == ["rally", "stroke", "rally"]
        assert held["label_stop"].values[[0, 2]].tolist() == [9.0, 31.0]
        assert np.isnan(held["label_stop"].values[1])
    for told in ("Squash at the club", "version 2.1", "CC BY 4.0", about["sha256"], "| ann smith | rally | 4 |"):
        assert told in sheet
    for secret in (mine, other, "Bob", "4711", "2026-03-14"):
        assert secret not in sheet
        assert not any(secret.encode() in path.read_bytes() for path in target.rglob("*") if path.is_file())
    again = export(store, tmp_path / "again.zarr", Terms(title="Squash at the club"))
    assert again["sha256"] == about["sha256"]


def test_a_data_set_is_never_written_over_nor_empty(store: Store, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(SquashError, match="there already"):
        export(store, tmp_path / "there", Terms())
    played(store)
    with pytest.raises(SquashError, match="no consented session is labelled"):
        export(store, tmp_path / "out.zarr", Terms())
    assert not list(tmp_path.glob("out*"))


def test_simulated_players_do_not_go_among_real_ones(store: Store, tmp_path: Path) -> None:
    played(store)
    assert example.fill(store, 2) == 0, "there is a consented session already"
    shared = Settings(home=tmp_path / "b", store_url=(tmp_path / "bucket").as_uri())
    with pytest.raises(SquashError, match="must not go there"):
        example.fill(Store.open(shared), 1)


def test_an_analysis_over_http_does_not_tell_the_day() -> None:
    """Who knows when somebody played must not find them; all else, the times between two events too, stays."""
    match = squashlib.simulate(3, rate_hz=10)
    document = squashlib.analyse(match.session).to_dict()
    document["quality"]["warnings"] = ["ann.fit: no squash"]
    bare = research.undated(document)
    day = document["session"]["start"][:10]
    assert not day.endswith("-01")
    assert day not in json.dumps(bare)
    assert "ann.fit" not in json.dumps(bare)
    assert "device" not in bare["session"]
    assert bare["session"]["start"] == f"{day[:7]}-01T00:00:00.000Z"
    ends = [parse_iso(one["rallies"][0]["end"]) - parse_iso(one["session"]["start"]) for one in (document, bare)]
    assert ends[0] == ends[1]
    assert bare["metrics"] == document["metrics"]
    assert document["session"]["start"].startswith(day), "the document that was given is as it was"
