"""Real servers for tests, on free ports of this machine, gone when the test run ends: PostgreSQL and Redis."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

SUPERUSER, OWNER, LOGIN = "postgres", "squash_owner", "squash_login"
#: Tests kill our servers, never this one: what it would lose with the machine does not matter.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=64MB")


def needed(program: Path | str | None, name: str) -> str:
    """The program's path; without one the test is skipped, or fails where everything must run (`CI=true`)."""
    if program is None:
        absent = f"{name} is not installed on this machine"
        if os.environ.get("CI") == "true":
            pytest.fail(absent)
        pytest.skip(absent)
    return str(program)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def postgres_bin() -> Path | None:
    """The folder of the newest installed server."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    here = shutil.which("initdb")
    return found[-1].parent if found else Path(here).parent if here else None


@contextmanager
def postgres(*, durable: bool = False) -> Iterator[str]:
    """A cluster of its own; yields the URL of its server as the owner of databases to be made (no superuser)."""
    programs = Path(needed(postgres_bin(), "PostgreSQL"))
    with tempfile.TemporaryDirectory(prefix="squash-pg-") as folder:
        given: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
        if os.getuid() == 0:  # the server refuses to run as root
            account = pwd.getpwnam("postgres")
            os.chown(folder, account.pw_uid, account.pw_gid)
            given |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        data, port = f"{folder}/data", free_port()
        initdb = [f"{programs}/initdb", "-D", data, "-U", SUPERUSER, "-A", "trust", "-N", "--no-locale", "-E", "UTF8"]
        subprocess.run(initdb, check=True, timeout=120, **given)
        given_options = (*(() if durable else FAST), "max_connections=200", f"port={port}", "unix_socket_directories=")
        options = [f"-c{option}" for option in given_options]
        server = subprocess.Popen([f"{programs}/postgres", "-D", data, *options], **given)
        try:
            _prepare(f"postgresql://{SUPERUSER}@127.0.0.1:{port}/postgres")
            yield f"postgresql://{OWNER}@127.0.0.1:{port}"
        finally:
            server.terminate()  # waits for sessions to end
            try:
                server.wait(5)
            except subprocess.TimeoutExpired:
                server.send_signal(2)  # ends them
                server.wait(20)


def _prepare(admin: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with psycopg.connect(admin, autocommit=True) as connection:
                connection.execute(f"CREATE ROLE {OWNER} LOGIN CREATEDB CREATEROLE")
                connection.execute(f"CREATE ROLE {LOGIN} LOGIN NOINHERIT")
                return
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@contextmanager
def database(server: str) -> Iterator[str]:
    """A database of its own on a server; yields its URL."""
    name = f"t{uuid.uuid4().hex[:12]}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        yield f"{server}/{name}"
    finally:  # by the superuser: the owner may end neither another login's last session nor an autovacuum at work
        admin = server.replace(f"//{OWNER}@", f"//{SUPERUSER}@")
        with psycopg.connect(f"{admin}/postgres", autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def login_of(url: str) -> str:
    """The URL of the login that owns nothing, to a database of the owner's."""
    return url.replace(f"//{OWNER}@", f"//{LOGIN}@")


@contextmanager
def redis() -> Iterator[str]:
    """A Redis that keeps nothing; yields its URL."""
    program, port = needed(shutil.which("redis-server"), "Redis"), free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert time.monotonic() < deadline, "Redis did not come up"
            time.sleep(0.05)
        yield f"redis://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)
