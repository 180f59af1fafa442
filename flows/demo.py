"""`make demo`: the whole platform once, from a watch on court to the player's page, over HTTP."""

import argparse
import json
import secrets
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from flows.up import platform
from squashlib import decode, simulate, write_fit
from squashlib.insights import headlines
from squashlib.watch import Watch, play

WAIT_S = 300


def main() -> int:
    """Run the demo; 0 only if insights and report are there."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--fit", type=Path, help="upload this recording instead of a simulated match")
    parser.add_argument("--exit", action="store_true", help="stop when done")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="squash-demo-") as folder:
        home = Path(folder)
        say("Making a match …" if options.fit is None else f"Reading {options.fit} …")
        fit, points = recording(home, options.fit)
        say("Starting the platform …")
        with platform(home / "platform", announce=say) as urls:
            started = time.monotonic()
            session_id, player = upload(urls, home, fit, points)
            found = wait(player, session_id)
            show(urls, player, session_id, found, time.monotonic() - started)
            if not options.exit:
                say("Ctrl-C stops everything.")
                sleep_until_interrupted()
    return 0


def say(text: str) -> None:
    """A line for the person who waits."""
    print(text, flush=True)


def recording(home: Path, fit: Path | None) -> tuple[Path, list[dict[str, Any]]]:
    """The recording to upload and the presses that belong to it."""
    if fit is not None:
        decode(fit)  # a bad file is told before anything starts
        return fit, []
    match = simulate(seed=7, level="club", rate_hz=50)
    write_fit(match.session, home / "match.fit")
    return home / "match.fit", match.points


def upload(urls: dict[str, str], home: Path, fit: Path, points: list[dict[str, Any]]) -> tuple[str, httpx.Client]:
    """Register a player, pair a watch with them, and let the watch play the match."""
    player = httpx.Client(base_url=urls["api"], timeout=60)
    account = {"email": f"demo-{secrets.token_hex(4)}@example.org", "password": secrets.token_urlsafe(16)}
    body = {**account, "full_name": "Demo Player", "max_heart_rate": 190}
    player.post("/api/auth/register", json=body).raise_for_status()
    tokens = player.post("/api/auth/login", json=account).raise_for_status().json()
    player.headers["Authorization"] = f"Bearer {tokens['access_token']}"
    say(f"Player {account['email']} (password {account['password']}) is registered.")
    with Watch(urls["api"], home / "queue.sqlite", "demo watch") as watch:
        watch.pair(announce=lambda code, _: approve(player, code), sleep=lambda _: None)
        session_id = play(watch, fit, points, details={"opponent_name": "Sam Rival", "location": "Court 2"})
        say(f"The watch is paired and sends {watch.waiting()} requests …")
        if watch.sync() or watch.refused():
            raise SystemExit(f"the platform did not take: {watch.refused() or watch.waiting()}")
    return session_id, player


def approve(player: httpx.Client, code: str) -> None:
    """The player types the code that the watch shows."""
    player.post("/api/auth/device/approve", json={"user_code": code}).raise_for_status()


def wait(player: httpx.Client, session_id: str) -> dict[str, Any]:
    """Insights once they and the report are there."""
    deadline = time.monotonic() + WAIT_S
    stage = None
    while time.monotonic() < deadline:
        status = player.get(f"/api/sessions/{session_id}/upload/status").raise_for_status().json()
        if status.get("stage") != stage:
            stage = status.get("stage")
            say(f"  {status['progress']:3d} %  {stage}")
        if status["status"] == "failed":
            raise SystemExit(f"processing failed: {status.get('error')}")
        if status["status"] == "completed":
            player.get(f"/api/sessions/{session_id}/report").raise_for_status()
            insights = player.get(f"/api/sessions/{session_id}/insights").raise_for_status().json()
            return dict(insights)
        time.sleep(0.2)
    raise SystemExit(f"no insights after {WAIT_S} s; the platform's logs are above")


def show(urls: dict[str, str], player: httpx.Client, session_id: str, found: dict[str, Any], took_s: float) -> None:
    """Insights and where to look."""
    session = player.get(f"/api/sessions/{session_id}").raise_for_status().json()
    say(f"\nDone {took_s:.1f} s after the watch began to send: {session['duration_seconds'] / 60:.0f} min of squash.")
    for line in headlines(found):
        say(f"  • {line}")
    say(json.dumps(found["metrics"], indent=1)[:2000])
    say(f"\n  player's page  {urls['api']}/\n  report         {urls['api']}/api/sessions/{session_id}/report")
    say(f"  dashboard      {urls['dashboards']}/session/{session_id}\n  trends         {urls['dashboards']}/trends")
    say(f"  API docs       {urls['api']}/docs\n  flows          {urls['prefect'].removesuffix('/api')}")
    say("  lab            make lab\n")


def sleep_until_interrupted() -> None:
    """Stay up until Ctrl-C."""
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        say("Stopping …")


if __name__ == "__main__":
    sys.exit(main())
