"""An analysis as text that a player understands at a glance."""

from collections.abc import Mapping
from typing import Any

BAR = "▁▂▃▄▅▆▇█"


def text(document: Mapping[str, Any]) -> str:
    """Text of a `squash-analysis/1` document."""
    session, metrics = document["session"], document["metrics"]
    lines = [
        f"{session['sport']}  {session['start'][:16].replace('T', ' ')} UTC  {_minutes(session['duration_s'])}",
        "",
    ]
    lines += _play(document)
    lines += _games(document)
    lines += _heart(metrics)
    sentences = document["insights"]["recommendations"][:3]
    lines += ["", *(f"• {item['text']}  ({item['confidence']:.0%} sure)" for item in sentences)] if sentences else []
    warnings = document["quality"]["warnings"]
    lines += ["", *(f"! {warning}" for warning in warnings)] if warnings else []
    return "\n".join(lines)


def _minutes(seconds: float) -> str:
    return f"{int(seconds // 60)}:{int(seconds % 60):02d} min"


def _play(document: Mapping[str, Any]) -> list[str]:
    metrics, count = document["metrics"], document["rally_count"]
    if not document["rallies"]:
        return [f"no rallies: {metrics['number_of_rallies']['metadata'].get('reason', 'none found')}"]
    share = metrics["total_playing_time"]["metadata"]["ball_in_play_share"]
    rows = [f"games {len(document['games'])}   rallies {count['estimate']} ({count['low']}–{count['high']})"]
    rows.append(
        f"ball in play {_minutes(metrics['total_playing_time']['value'])}" + (f" ({share:.0%})" if share else "")
    )
    rows.append(f"longest rally {metrics['longest_rally_length']['value']:.0f} s")
    sure = metrics["number_of_rallies"]["confidence"]
    if sure < 0.7:
        why = "" if metrics["shots_detected"]["value"] is not None else ": no motion was recorded"
        rows.append(f"rallies are estimates, {sure:.0%} sure{why}")
    if metrics["shots_detected"]["value"] is not None:
        rows.append(
            f"strokes {metrics['shots_detected']['value']} ({metrics['strokes_per_rally']['value'] or 0:.1f} a rally)"
        )
    return rows


def _games(document: Mapping[str, Any]) -> list[str]:
    from squashlib.session import parse_iso

    lines = [""]
    for game in document["games"]:
        rallies = [rally for rally in document["rallies"] if rally["game"] == game["number"]]
        lengths = [(parse_iso(r["end"]) - parse_iso(r["start"])).total_seconds() for r in rallies]
        score = f"{game['score']['me']:>2}–{game['score']['opponent']:<2}" if game["score"] else "     "
        spark = "".join(BAR[min(7, int(length // 4))] for length in lengths)
        took = (parse_iso(game["end"]) - parse_iso(game["start"])).total_seconds()
        doubt = "" if game["confidence"] and game["confidence"] > 0.7 else "  (uncertain)"
        lines.append(f"game {game['number']}  {score}  {_minutes(took):>9}  {len(rallies):>3} rallies  {spark}{doubt}")
    return lines if len(lines) > 1 else []


def _heart(metrics: Mapping[str, Any]) -> list[str]:
    playing = metrics["avg_playing_heart_rate"]["value"]
    zones = [metrics[f"time_in_zone_{zone}"]["value"] for zone in range(1, 6)]
    if zones[0] is None:
        return []
    total = sum(zones) or 1.0
    lines = ["", f"heart rate in rallies {playing:.0f} bpm" if playing else "heart rate"]
    source = metrics["time_in_zone_1"]["metadata"]
    for zone, seconds in enumerate(zones, 1):
        lines.append(f"  zone {zone}  {_minutes(seconds):>9}  {'█' * round(30 * seconds / total)}")
    lines.append(f"  zones of {source['hr_max_bpm']:.0f} bpm ({source['hr_max_from']})")
    return lines
