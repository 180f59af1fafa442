"""Heart beats: intervals of `hrv` (78) and `beat_intervals` (290), and the rates that straps keep in `hr` (132)."""

from typing import Any

import numpy as np
import numpy.typing as npt

from squashlib.decode.fit import Recording, Table, rows
from squashlib.decode.layout import number
from squashlib.decode.records import MAX_BPM, RECORD, Streams, ordered

Array = npt.NDArray[Any]
HRV, HR, BEAT_INTERVALS = 78, 132, 290
TICKS_HZ = 1024
#: A pause in the beats of so long moves those after it to where the records are.
GAP_S = 5.0


def beat_streams(recording: Recording) -> Streams:
    """Beat to beat intervals, at the beat that ends each."""
    found = beat_intervals(recording) or hrv(recording)
    return {"beat_time": ordered(found[0], {"rr_interval": found[1]})} if found is not None else {}


def beat_intervals(recording: Recording) -> tuple[Array, Array] | None:
    """Beats counted on from each message's own time to the millisecond."""
    times, intervals = [], []
    for table in recording.of(BEAT_INTERVALS):
        rr, ms = table.numbers("time"), table.scalar("timestamp_ms")
        if rr is None:
            continue
        rr = rr.reshape(len(table), -1) / 1000
        began = recording.clock.times(table) + (0 if ms is None else np.nan_to_num(ms) / 1000)
        times.append((began[:, None] + np.cumsum(np.nan_to_num(rr), axis=1)).ravel())
        intervals.append(np.where(rr > 0, rr, np.nan).ravel())
    return (np.concatenate(times), np.concatenate(intervals)) if times else None


def hrv(recording: Recording) -> tuple[Array, Array] | None:
    """Beats of messages without a time: counted on from the first record, moved on after a pause."""
    ranks, intervals = [], []
    for table in recording.of(HRV):
        if (raw := table.column(0)) is not None:
            rr = number(raw.reshape(len(table), -1), 4, 1000.0)
            ranks.append(np.repeat(table.rank, rr.shape[1]))
            intervals.append(rr.ravel())
    when, places = _records(recording) if ranks else (np.empty(0), np.empty(0))
    if not len(when):
        return None
    rank, rr = np.concatenate(ranks), np.concatenate(intervals)
    order = np.argsort(rank, kind="stable")
    order = order[rr[order] > 0]
    rank, rr = rank[order], rr[order]
    times = when[0] + np.cumsum(rr)
    behind_s = when[np.maximum(np.searchsorted(places, rank) - 1, 0)] - times
    return times + np.maximum.accumulate(np.maximum(behind_s // GAP_S * GAP_S, 0)), rr


def _records(recording: Recording) -> tuple[Array, Array]:
    """Times of the records in file order and their places in the file."""
    tables = recording.of(RECORD)
    if not tables:
        return np.empty(0), np.empty(0)
    times, _ = rows(recording, RECORD)
    places = np.sort(np.concatenate([table.rank for table in tables]))
    return times[np.isfinite(times)], places[np.isfinite(times)]


def strap_rates(recording: Recording) -> tuple[Array, Array] | None:
    """Times and beats a minute of `hr` messages: one with a timestamp anchors the ticks of those after it."""
    parts = [part for table in recording.of(HR) if (part := _ticks(table, recording)) is not None]
    if not parts:
        return None
    rank, anchor_s, whole, ticks, bpm = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(rank, kind="stable")
    anchor_s, whole, ticks, bpm = anchor_s[order], whole[order], ticks[order], bpm[order]
    # Whole ticks (32 bits) stand by themselves, short ones (12 bits) count on from the one before.
    steps = np.diff(ticks, prepend=0) & 0xFFF
    steps[whole] = 0
    counted, last_whole = np.cumsum(steps), np.maximum.accumulate(np.where(whole, np.arange(len(ticks)), -1))
    total = ticks[last_whole] + counted - counted[last_whole]
    anchor = np.maximum.accumulate(np.where(np.isfinite(anchor_s) & whole, np.arange(len(ticks)), -1))
    times = anchor_s[anchor] + ((total - total[anchor]) & 0xFFFFFFFF) / TICKS_HZ
    known = (anchor >= 0) & (bpm > 0) & (bpm <= MAX_BPM)
    return times[known], bpm[known]


def _ticks(table: Table, recording: Recording) -> tuple[Array, ...] | None:
    """By value: place in the file, time of an anchor, whether its ticks are whole, ticks, beats a minute."""
    bpm, whole, short = table.numbers("filtered_bpm"), table.column(9), table.column(10)
    ticks = whole if whole is not None else unpack12(short) if short is not None and short.dtype == np.uint8 else None
    if bpm is None or ticks is None or ticks.dtype.kind not in "iu":
        return None
    bpm, ticks = bpm.reshape(len(table), -1), ticks.reshape(len(table), -1).astype(np.int64)
    k = min(bpm.shape[1], ticks.shape[1])
    fraction = table.scalar("fractional_timestamp")
    anchor_s = np.full((len(table), k), np.nan)
    anchor_s[:, 0] = recording.clock.times(table) + (0 if fraction is None else np.nan_to_num(fraction))
    full = np.full(len(table) * k, whole is not None)
    return np.repeat(table.rank, k), anchor_s.ravel(), full, ticks[:, :k].ravel(), bpm[:, :k].ravel()


def unpack12(packed: Array) -> Array:
    """Two numbers of twelve bits out of every three bytes, the low bits first: (n, 3·k) to (n, 2·k)."""
    packed = packed.reshape(len(packed), -1)
    bytes3 = packed[:, : packed.shape[1] // 3 * 3].reshape(len(packed), -1, 3).astype(np.int64)
    first = bytes3[..., 0] | (bytes3[..., 1] & 15) << 8
    second = bytes3[..., 1] >> 4 | bytes3[..., 2] << 4
    return np.stack((first, second), axis=-1).reshape(len(packed), -1)
