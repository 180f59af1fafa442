"""A look into a batch at the door: is it one at all, and how many samples does it hold."""

from typing import Any

from squashlib.errors import DecodeError

LIST_NAMES = ("data", "data_points", "samples")


def count_samples(body: bytes, content_type: str | None, kind: str) -> int:
    """Number of samples in a batch; raises `DecodeError` for what is none. Single bad samples are not looked for."""
    from squashlib.decode.unpack import unpack

    content: Any = unpack(body, content_type)
    if kind == "sensor":
        return _motion_samples(content)
    items = content if isinstance(content, list) else None
    if isinstance(content, dict):
        items = next((content[name] for name in LIST_NAMES if isinstance(content.get(name), list)), None)
    if items is None:
        raise DecodeError(f"the {kind} batch has no list 'data', must have one of samples with timestamps")
    return len(items)


def _motion_samples(content: Any) -> int:
    sensors = [content.get(name) for name in ("accelerometer", "gyroscope")] if isinstance(content, dict) else []
    held = [sensor for sensor in sensors if isinstance(sensor, dict) and isinstance(sensor.get("x"), list)]
    if not held or "start_time" not in content or "sample_rate_hz" not in content:
        raise DecodeError(
            "the sensor batch must hold start_time, sample_rate_hz, and x, y, z of accelerometer or gyroscope"
        )
    return max(len(sensor["x"]) for sensor in held)
