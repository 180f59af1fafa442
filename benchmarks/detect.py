"""A whole analysis, warm, by sensors and length.

Peer: real time itself (ratio says how many times faster than the match was played); beside it a plain NumPy and pandas
moving mean of the same motion as a yardstick of the machine.
"""

import time
from statistics import median

import pandas as pd

import squashlib


def timed(work, runs: int = 5) -> float:  # type: ignore[no-untyped-def]
    """Median seconds."""
    took = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return median(took)


def main() -> None:
    for name, rate, sensors in (
        ("50hz", 50, ("heart_rate", "acceleration", "angular_velocity")),
        ("100hz", 100, ("heart_rate", "acceleration", "angular_velocity")),
        ("heart_rate", 10, ("heart_rate",)),
    ):
        session = squashlib.simulate(3, rate_hz=rate, sensors=sensors).session
        squashlib.analyse(session)
        ours, played = timed(lambda session=session: squashlib.analyse(session)), session.attrs["duration_s"]
        minutes = f"minutes={played / 60:.0f}"
        print(f"analyse_{name} ours={ours:.3f}s peer={played:.0f}s ratio={played / ours:.0f} {minutes}", flush=True)
    frame = pd.DataFrame(squashlib.simulate(3, rate_hz=50).session["acceleration"].values)
    print(f"# pandas rolling mean of the motion alone: {timed(lambda: frame.rolling(7).mean()):.3f}s")


if __name__ == "__main__":
    main()
