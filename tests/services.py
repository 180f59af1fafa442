"""Real servers for tests, on free ports of this machine, gone when the test run ends: PostgreSQL and Redis."""

import os
import pwd
import shutil
import signal
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

from flows.ports import free_port

SUPERUSER, OWNER, LOGIN = "postgres", "squash_owner", "squash_login"
#: Tests kill our servers, never this one: what it would lose with the machine does not matter.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=64MB")
#: For what a slow machine takes long to do: a guard against waiting for ever, no more.
PATIENCE_S = 600


def needed(program: Path | str | None, name: str) -> str:
    """The program's path; without one the test is skipped, or fails where everything must run (`CI=true`)."""
    if program is None:
        absent = f"{name} is not installed on this machine"
        if os.environ.get("CI") == "true":
            pytest.fail(absent)
        pytest.skip(absent)
    return str(program)


def listens(port: int, server: "subprocess.Popen[bytes]") -> None:
    """Wait until a server that was started does; if it ends before, that is told at once."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert server.poll() is None, f"{server.args} ended with status {server.returncode}"
        assert time.monotonic() < deadline, f"{server.args} does not listen on port {port} after {PATIENCE_S} s"
        time.sleep(0.05)


def ended(server: "subprocess.Popen[bytes]", number: int = signal.SIGTERM) -> None:
    """End a server; one that does not go is killed."""
    server.send_signal(number)
    try:
        server.wait(60)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


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
        subprocess.run(initdb, check=True, timeout=PATIENCE_S, **given)
        given_options = (*(() if durable else FAST), "max_connections=200", f"port={port}", "unix_socket_directories=")
        options = [f"-c{option}" for option in given_options]
        server = subprocess.Popen([f"{programs}/postgres", "-D", data, *options], **given)
        try:
            listens(port, server)
            _prepare(f"postgresql://{SUPERUSER}@127.0.0.1:{port}/postgres")
            yield f"postgresql://{OWNER}@127.0.0.1:{port}"
        finally:
            ended(server, signal.SIGINT)  # ends sessions too: those of killed processes would be waited for


def _prepare(admin: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            with psycopg.connect(admin) as connection:
                connection.execute(f"CREATE ROLE {OWNER} LOGIN CREATEDB CREATEROLE")
                connection.execute(f"CREATE ROLE {LOGIN} LOGIN NOINHERIT")
                return
        except psycopg.OperationalError:  # it is starting
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
        listens(port, server)
        yield f"redis://127.0.0.1:{port}"
    finally:
        ended(server)
