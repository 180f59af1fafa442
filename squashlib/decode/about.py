"""What FIT says about a recording beside its samples: device, sport, laps, events, the owner's zones."""

from math import isfinite
from typing import Any

import numpy as np

from squashlib.decode.fit import Recording, Table, rows
from squashlib.decode.layout import invalid, profile, text

FILE_ID, SPORT, SESSION, LAP, EVENT, TIME_IN_ZONE = 0, 12, 18, 19, 21, 216
MAX_LISTED = 1000

ZONES = ("max_heart_rate", "resting_heart_rate", "threshold_heart_rate", "hr_zone_high_boundary", "time_in_hr_zone")


def word(recording: Recording, num: int, name: str) -> str | None:
    """A field of the first message `num` that holds it, as the profile's word, or text."""
    for table in recording.of(num):
        found = word_of(table, name, 0)
        if found is not None:
            return found
    return None


def word_of(table: Table, name: str, i: int) -> str | None:
    """Field `name` of message `i` as the profile's word, or text; None if absent or invalid."""
    found = table.named(name)
    if found is None or found[0].ndim != 1:
        return None
    raw, place, entry = found
    if raw.dtype.kind == "S":
        return text(raw[i]) or None
    value = raw[i].item()
    if value == invalid(place.base) or not isfinite(value):
        return None
    return meaning(entry["type"], int(value))


def meaning(kind: str, value: int) -> str:
    """The profile's word for a value of a type, else the number."""
    words = profile()["types"].get(kind, {})
    return str(words.get(str(value), words.get(value, value)))


def sport(recording: Recording) -> str:
    """`squash` if anything says so, else the session's sport."""
    words = [str(word(recording, num, name)) for num in (SESSION, SPORT) for name in ("sub_sport", "sport", "name")]
    if any("squash" in each.lower() for each in (*words, *recording.texts.values())):
        return "squash"
    return word(recording, SESSION, "sport") or word(recording, SPORT, "sport") or "unknown"


def device(recording: Recording) -> dict[str, Any]:
    """The watch; where an app names the watch itself, what the file names is the `recorder`."""
    named = recording.texts
    maker, product = word(recording, FILE_ID, "manufacturer"), word(recording, FILE_ID, "product")
    if maker == "garmin" and product is not None:
        product = meaning("garmin_product", int(product))
    writer = {"manufacturer": maker, "product": product, "name": word(recording, FILE_ID, "product_name")}
    writer = {name: value for name, value in writer.items() if value is not None}
    watch = {"manufacturer": named.get("device_manufacturer"), "name": named.get("device_model")}
    watch = {name: value for name, value in watch.items() if value}
    return {**watch, "recorder": writer} if watch and writer else watch or writer


def laps(recording: Recording, start_s: float) -> list[float]:
    """When laps were written, seconds after `start_s`."""
    times, _ = rows(recording, LAP)
    return np.round(times[np.isfinite(times)][:MAX_LISTED] - start_s, 3).tolist()  # type: ignore[no-any-return]


def events(recording: Recording, start_s: float) -> list[dict[str, Any]]:
    """Timer, laps, alerts and whatever else the device noted: time, what, and how it went on."""
    found: list[dict[str, Any]] = []
    for table in recording.of(EVENT):
        times, data = recording.clock.times(table), table.scalar("data")
        for i in np.flatnonzero(np.isfinite(times))[:MAX_LISTED].tolist():
            event = {
                "time_s": round(float(times[i]) - start_s, 3),
                "event": word_of(table, "event", i),
                "type": word_of(table, "event_type", i),
            }
            if data is not None and np.isfinite(data[i]):
                event["data"] = int(data[i])
            found.append(event)
    return sorted(found, key=lambda event: float(event["time_s"]))[:MAX_LISTED]


def zones(recording: Recording) -> dict[str, Any]:
    """The owner's heart-rate settings and zones: those of the whole session, else the last written."""
    found: dict[str, Any] = {}
    for table in recording.of(TIME_IN_ZONE):
        about = table.scalar("reference_mesg")
        i = len(table) - 1
        if about is not None and (about == SESSION).any():
            i = int(np.flatnonzero(about == SESSION)[-1])
        for name in ZONES:
            values = table.numbers(name)
            if values is not None and np.isfinite(values[i]).any():
                row = values[i]
                found[name] = row[np.isfinite(row)].tolist() if row.ndim else float(row)
    return found
