"""A kernel's walls, tried from inside: its own folder and code, and nothing else of this machine."""

import json
import os
import platform
import socket
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from flows import walls
from tests.services import PATIENCE_S

pytestmark = pytest.mark.skipif(walls.strength() < walls.ENOUGH, reason="needs Linux 6.12 with Landlock")

PROBE = """
import json, os, signal, socket, subprocess, sys
from pathlib import Path
from flows import walls
from tests.services import PATIENCE_S

own, other = map(Path, sys.argv[1:3])
parent = os.getppid()
assert walls.enclose(own)

def listens(folder):
    socket.socket(socket.AF_UNIX).bind(str(folder / "new"))

tries = {
    "write own": lambda: (own / "kept").write_text("1"),
    "read own": lambda: (own / "kept").read_text(),
    "rename own": lambda: os.rename(own / "kept", own / "kept2"),
    "listen own": lambda: listens(own),
    "late import": lambda: __import__("wave"),
    "time zone": lambda: __import__("zoneinfo").ZoneInfo("Europe/Amsterdam"),
    "signal itself": lambda: os.kill(os.getpid(), 0),
    "read other": lambda: (other / "secret").read_text(),
    "write other": lambda: (other / "secret").write_text("mine"),
    "link other": lambda: os.link(other / "secret", own / "linked"),
    "list": lambda: os.listdir(other.parent),
    "listen other": lambda: listens(other),
    "connect other": lambda: socket.socket(socket.AF_UNIX).connect(str(other / "socket")),
    "connect abstract": lambda: socket.socket(socket.AF_UNIX).connect(chr(0) + sys.argv[3]),
    "internet": lambda: socket.socket(socket.AF_INET),
    "datagram": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM),
    "parent's environment": lambda: Path(f"/proc/{parent}/environ").read_bytes(),
    "parent's memory": lambda: os.open(f"/proc/{parent}/mem", os.O_RDONLY),
    "who listens": lambda: Path("/proc/net/unix").read_text(),
    "signal parent": lambda: os.kill(parent, 0),
    "trace parent": lambda: walls._ask(walls.LIBC.ptrace(16, parent, 0, 0), "attach"),
    "run": lambda: subprocess.run(["/bin/true"], check=True),
    "mount": lambda: walls._ask(walls.LIBC.mount(b"none", bytes(own), b"tmpfs", 0, None), "mount"),
    "accounts": lambda: Path("/etc/passwd").read_text(),
    "become another": lambda: os.setuid(1),
}
done = {}
for name, attempt in tries.items():
    try:
        attempt()
        done[name] = "done"
    except OSError as error:
        done[name] = "refused"
print(json.dumps(done))
"""
ALLOWED = {"write own", "read own", "rename own", "listen own", "late import", "time zone", "signal itself"}


def test_inside_one_has_its_own_folder_and_code_alone(tmp_path: Path) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    own.mkdir()
    other.mkdir()
    (other / "secret").write_text("a match")
    name = uuid.uuid4().hex
    with socket.socket(socket.AF_UNIX) as pathed, socket.socket(socket.AF_UNIX) as abstract:
        os.chdir(other)  # a socket's name must be short
        try:
            pathed.bind("socket")
        finally:
            os.chdir(Path(__file__).parents[2])
        abstract.bind(f"\0{name}")
        pathed.listen()
        abstract.listen()
        command = [sys.executable, "-c", PROBE, str(own), str(other), name]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert ran.returncode == 0, ran.stderr
    done = json.loads(ran.stdout)
    assert {name for name, outcome in done.items() if outcome == "done"} == ALLOWED
    assert (other / "secret").read_text() == "a match"


def test_data_beside_the_code_is_not_code() -> None:
    places = walls.readable()
    assert not any(walls.OWN_CODE.is_relative_to(place) for place in places)
    assert walls.OWN_CODE / "squashlib" in places


@pytest.mark.parametrize("machine", walls.CALLS)
def test_the_filter_jumps_where_it_should(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call is followed through the steps, as the system does it."""
    monkeypatch.setattr(platform, "machine", lambda: machine)
    arch, make_socket, refused = walls.CALLS[machine]

    def outcome(call: int, first: int = 0, second: int = 0, on: int = arch) -> int:
        at, held, steps = 0, 0, walls.calls()
        seen = {walls.NUMBER_AT: call, walls.ARCH_AT: on, walls.FIRST_AT: first, walls.SECOND_AT: second}
        while True:
            operation, yes, no, operand = steps[at]
            at += 1
            if operation == walls.RETURN:
                return operand
            if operation == walls.LOAD:
                held = seen[operand]
            elif operation == walls.AND:
                held &= operand
            else:
                true = held == operand if operation == walls.EQUAL else held >= operand
                at += yes if true else no

    assert [outcome(call) for call in refused] == [walls.REFUSE] * len(refused)
    assert outcome(make_socket, 1, 1) == outcome(make_socket, 1, 1 | 0x80000) == outcome(0) == walls.ALLOW
    assert outcome(make_socket, 2, 1) == outcome(make_socket, 1, 2) == outcome(make_socket, 1, 5) == walls.REFUSE
    assert outcome(0x40000000 | refused[0]) == walls.REFUSE
    assert outcome(0, on=1) == walls.KILL
