"""The datasheet of an exported data set (after Gebru et al., Datasheets for Datasets, 2021)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from squashlib.labels import LabelSet


def datasheet(about: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], held: Sequence[Mapping[str, Any]]) -> str:
    """What is in a data set, where it comes from, what it is good for, and how to cite it; Markdown."""
    hours = sum(each["session"]["duration_s"] for each in held) / 3600
    return f"""# {about["title"]}, version {about["version"]}

{about["citation"]}

| | |
|---|---|
| licence | {about["licence"]} |
| sessions | {about["sessions"]}, {hours:.1f} hours |
| players | {about["players"]} |
| made | {about["created"]} |
| content (sha256) | `{about["sha256"]}` |

## Why

To develop and compare detectors of rallies and strokes in squash, and to let others check published figures.

## What is in it

One Zarr (version 3) group a session, named by its pseudonym. Each stream has its own time in seconds since the
session's start (`accel_time`, `gyro_time`, `hr_time` …); missing is NaN; units stand in the attributes. Beside it lies
one group for each annotator, `labels_AUTHOR`: `label_start`, `label_stop` (NaN for a moment), `label_kind`,
`label_confidence` (a number only where a detector's proposal was left as it was).

A rally lasts from the serve's contact to the ball's death.

{_sessions(rows, held)}

{_labels(held)}

## How it was collected

{_collected(rows)}

## What was done to it

Streams are as the device sent them, decoded. Removed: names, notes, opponents, places, positions, devices, files, and
the day: every start is moved to the first of its month at midnight. Pseudonyms are keyed hashes and stay the same from
version to version.

## What it is good for, and what not

Split by `player_id`, never by windows: one player's strokes resemble each other. It says nothing of people who do not
wear such a watch. Heart rate from the wrist lags and drops out in play.

## Upkeep

A player who takes consent back is not in the next version; cite the version and the hash.

## How to read it

```python
import xarray as xr

session = xr.open_zarr("PATH", group="{rows[0]["session_id"]}", consolidated=False)
labels = xr.open_zarr("PATH", group="{rows[0]["session_id"]}/labels_AUTHOR", consolidated=False)
```
"""


def _collected(rows: Sequence[Mapping[str, Any]]) -> str:
    made_up = sum(bool(row["simulated"]) for row in rows)
    real = "Players' own watches, in play that nobody arranged. Each player agreed to research."
    if made_up == len(rows):
        return "All sessions are simulated (`squashlib.simulate`): nobody played them."
    return real + (f" {made_up} sessions are simulated: nobody played them." if made_up else "")


def _sessions(rows: Sequence[Mapping[str, Any]], held: Sequence[Mapping[str, Any]]) -> str:
    lines = ["| session | player | month | minutes | streams |", "|---|---|---|---|---|"]
    for row, each in zip(sorted(rows, key=lambda row: str(row["session_id"])), held, strict=True):
        streams = ", ".join(f"{name} {s['rate_hz'] or 0:g} Hz" for name, s in each["session"]["streams"].items())
        minutes = each["session"]["duration_s"] / 60
        lines.append(
            f"| `{row['session_id'][:8]}` | `{row['player_id'][:8]}` | {row['month']} | {minutes:.0f} | {streams} |"
        )
    return "\n".join(lines)


def _labels(held: Sequence[Mapping[str, Any]]) -> str:
    counts: Counter[tuple[str, str]] = Counter()
    for each in held:
        sets: Sequence[LabelSet] = each["sets"]
        counts.update((labels.author, label.kind) for labels in sets for label in labels.labels)
    lines = ["| annotator | kind | labels |", "|---|---|---|"]
    lines += [f"| {author} | {kind} | {count} |" for (author, kind), count in sorted(counts.items())]
    return "\n".join([*lines, "", *_agreement(held)])


def _agreement(held: Sequence[Mapping[str, Any]]) -> list[str]:
    from squashlib.agreement import agreements

    pairs = [pair for each in held for pair in agreements(each["sets"])]
    if not pairs:
        return ["No session was labelled by two people; agreement is unknown."]
    kappas = [pair["kappa"] for pair in pairs if pair["kappa"] is not None]
    mean = f"{sum(kappas) / len(kappas):.2f}" if kappas else "unknown"
    return [f"Agreement on rallies in {len(pairs)} pairs of label sets: Cohen's kappa on a 1 s grid {mean} (mean)."]
