"""The reference watch: a durable queue of requests between a court without network and the platform.

Everything that a watch does is one row of a SQLite file before it is sent, named by ids that the watch chose itself,
so that a request whose answer was lost can be sent again and means the same.
"""

import json
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from squashlib.session import at

RETRY_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
_TABLES = """
CREATE TABLE IF NOT EXISTS requests (
  request_id TEXT PRIMARY KEY, position INTEGER NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL,
  body TEXT, file TEXT, refused TEXT);
CREATE TABLE IF NOT EXISTS tokens (kind TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class Watch:
    """A watch that queues what happens and sends it when there is a network."""

    def __init__(self, url: str, queue: Path, name: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self._http = httpx.Client(base_url=url, timeout=30, transport=transport)
        self._queue = sqlite3.connect(queue, isolation_level=None)
        self._queue.execute("PRAGMA journal_mode=WAL")
        self._queue.executescript(_TABLES)
        queue.chmod(0o600)  # it holds this watch's tokens
        self.name = name

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()
        self._queue.close()

    def pair(self, announce: Callable[[str, str], None], *, sleep: Callable[[float], None] = time.sleep) -> None:
        """Sign in by the device authorization grant (RFC 8628), unless this queue holds tokens already.

        Raises
        ------
        httpx.HTTPStatusError
            If the player refused or the code expired.
        """
        if self._token("refresh_token"):
            return
        answer = self._http.post("/api/auth/device/code", json={"client_name": self.name}).raise_for_status().json()
        announce(answer["user_code"], answer["verification_uri"])
        interval_s = answer.get("interval", 5)
        while True:
            reply = self._http.post(
                "/api/auth/device/token",
                json={
                    "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
                    "device_code": answer["device_code"],
                },
            )
            if reply.is_success:
                break
            error = reply.json().get("error")
            if error not in ("authorization_pending", "slow_down"):
                reply.raise_for_status()
            interval_s += 5 * (error == "slow_down")
            sleep(interval_s)
        self._keep_tokens(reply.json())

    def _keep_tokens(self, tokens: Mapping[str, Any]) -> None:
        for kind in ("access_token", "refresh_token"):
            self._queue.execute("INSERT OR REPLACE INTO tokens VALUES (?, ?)", (kind, tokens[kind]))

    def _token(self, kind: str) -> str | None:
        row = self._queue.execute("SELECT value FROM tokens WHERE kind = ?", (kind,)).fetchone()
        return str(row[0]) if row else None

    def put(self, method: str, path: str, body: Any = None, file: Path | None = None) -> None:
        """Queue one request; it is on disk when this returns."""
        self._queue.execute(
            "INSERT INTO requests SELECT ?, COALESCE(MAX(position), 0) + 1, ?, ?, ?, ?, NULL FROM requests",
            (str(uuid.uuid4()), method, path, json.dumps(body), str(file) if file else None),
        )

    def waiting(self) -> int:
        """How many requests are not yet taken by the platform."""
        return int(self._queue.execute("SELECT COUNT(*) FROM requests WHERE refused IS NULL").fetchone()[0])

    def refused(self) -> list[tuple[str, str]]:
        """Requests that the platform will never take, with its answer; kept for the player to see."""
        return self._queue.execute("SELECT path, refused FROM requests WHERE refused IS NOT NULL").fetchall()

    def sync(self, *, tries: int = 5, sleep: Callable[[float], None] = time.sleep) -> int:
        """Send what waits, in order, each at least once; return how many still wait."""
        failures = 0
        while row := self._queue.execute(
            "SELECT request_id, method, path, body, file FROM requests WHERE refused IS NULL ORDER BY position LIMIT 1"
        ).fetchone():
            try:
                answer = self._send(*row)
            except httpx.TransportError:
                answer = None
            if answer is None or answer.status_code in RETRY_STATUS:
                failures += 1
                if failures >= tries:
                    break
                sleep(_pause_s(answer, failures))
                continue
            failures = 0
            if answer.is_success:
                self._queue.execute("DELETE FROM requests WHERE request_id = ?", (row[0],))
            else:
                self._queue.execute("UPDATE requests SET refused = ? WHERE request_id = ?", (answer.text, row[0]))
        return self.waiting()

    def _send(self, request_id: str, method: str, path: str, body: str, file: str | None) -> httpx.Response:
        answer = self._once(request_id, method, path, body, file)
        if answer.status_code == 401 and self._refresh():
            answer = self._once(request_id, method, path, body, file)
        return answer

    def _once(self, request_id: str, method: str, path: str, body: str, file: str | None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._token('access_token')}", "Idempotency-Key": request_id}
        if file:
            with Path(file).open("rb") as stream:
                return self._http.request(method, path, headers=headers, files={"file": (Path(file).name, stream)})
        headers["Content-Type"] = "application/json"
        return self._http.request(method, path, headers=headers, content=body)

    def _refresh(self) -> bool:
        reply = self._http.post("/api/auth/refresh-token", json={"refresh_token": self._token("refresh_token")})
        if reply.is_success:
            self._keep_tokens(reply.json())
        return reply.is_success


def _pause_s(answer: httpx.Response | None, failures: int) -> float:
    asked = answer.headers.get("Retry-After", "") if answer is not None else ""
    return float(asked) if asked.isdigit() else min(60.0, 0.5 * 2.0**failures)


def play(
    watch: Watch,
    fit: Path,
    points: Iterable[Mapping[str, Any]],
    speed: float = 0,
    *,
    session_id: str | None = None,
    details: Mapping[str, Any] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Replay a match as a watch would live it: create the session, press the points, end it, upload the recording.

    Parameters
    ----------
    speed
        1 is real time, 60 a minute a second, 0 without waiting.

    Returns
    -------
    str
        The session's id, chosen by the watch.
    """
    from squashlib import decode

    recording = decode(fit)
    session_id = session_id or str(uuid.uuid4())
    path = f"/api/sessions/{session_id}"
    start = recording.attrs["start_time"]
    position = {"playing_hand": "playing_hand", "other_hand": "other_hand"}.get(recording.attrs["watch_position"])
    body = {"session_id": session_id, "session_type": "match", "sport": "squash", "start_time": start}
    watch.put("POST", "/api/sessions", {**body, "metadata": {"watch_position": position}, **(details or {})})
    previous: str | None = None
    for point in sorted(points, key=lambda item: str(item["timestamp"])):
        if speed > 0 and previous:
            sleep(_seconds_between(previous, str(point["timestamp"])) / speed)
            watch.sync(tries=1)
        previous = str(point["timestamp"])
        watch.put("POST", f"{path}/points", {"point_id": str(uuid.uuid4()), **point})
    watch.put("PATCH", path, {"end_time": at(recording, recording.attrs["duration_s"])})
    watch.put("POST", f"{path}/upload/fit", file=fit.resolve())
    return session_id


def _seconds_between(first: str, second: str) -> float:
    from squashlib.session import parse_iso

    return (parse_iso(second) - parse_iso(first)).total_seconds()
