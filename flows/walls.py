"""A kernel's walls: it reads code, writes its own folder, and reaches nothing else of this machine.

All kernels are of one user of the system, so that user's rights cannot keep them apart. Landlock does (Linux 5.13, in
full since 6.12): no file, process or signal beyond the walls, not even for root, who loses every capability here. It
does not ask who connects to a socket in the file system; a filter of system calls (seccomp) does, and knows no network.
Neither needs a right of its own, so both hold in containers too.
"""

import ctypes
import os
import platform
import site
import struct
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

LIBC: Any = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same on every architecture
GET_VERSION, PATH_BENEATH = 1, 1
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
READ_FILE, READ_DIR = 1 << 2, 1 << 3
#: Rights of files that each version of Landlock added; `execute`, the first, is given to nobody.
RIGHTS_OF = ((1, 13), (2, 14), (3, 15), (5, 16))
TCP, SCOPES = 0b11, 0b11  # bind and connect (version 4); abstract sockets and signals (version 6)
ENOUGH = 6
#: Where Python may lie, what it links to, and its clocks. No `/proc`, `/etc/passwd` or `/tmp`.
SYSTEM = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/local/lib", "/usr/share/zoneinfo", "/etc/localtime")
OWN_CODE = Path(__file__).parent.parent
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")
#: By machine: the architecture's number, `socket`, and what a kernel never needs: connect, ptrace, reading and writing
#: another's memory, taking another's open files, and the ring that would go round this filter.
CALLS = {
    "x86_64": (0xC000003E, 41, (42, 101, 310, 311, 425, 438)),
    "aarch64": (0xC00000B7, 198, (203, 117, 270, 271, 425, 438)),
}
AF_UNIX, SOCK_STREAM, EACCES = 1, 1, 13
KILL, REFUSE, ALLOW = 0x80000000, 0x00050000 | EACCES, 0x7FFF0000
LOAD, EQUAL, AT_LEAST, AND, RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
NUMBER_AT, ARCH_AT, FIRST_AT, SECOND_AT = 0, 4, 16, 24


def strength() -> int:
    """Landlock's version on this machine, 0 where there is none."""
    if LIBC is None or platform.machine() not in CALLS:
        return 0
    return max(0, int(LIBC.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), GET_VERSION)))


def enclose(own: Path) -> bool:
    """Let this process, from here on, touch its `own` folder alone; False where this system cannot.

    Call it while the process has one thread: the walls are of the thread and of what it starts.

    Raises
    ------
    OSError
        If the system has walls and refuses them: better no kernel than an open one.
    """
    version = strength()
    if not version:
        return False
    _ask(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")
    _drop_capabilities()
    _landlock(version, own)
    _filter_calls()
    return version >= ENOUGH


def _ask(answer: int, what: str) -> int:
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{os.strerror(number)}: this system refused a kernel's walls ({what})")
    return answer


def _drop_capabilities() -> None:
    """What makes root more than a user."""
    header, none = struct.pack("Ii", 0x20080522, 0), bytes(24)
    _ask(LIBC.capset(header, none), "dropping capabilities")


def _landlock(version: int, own: Path) -> None:
    every = (1 << max(bits for since, bits in RIGHTS_OF if since <= version)) - 1
    asked = struct.pack("QQQ", every, TCP if version >= 4 else 0, SCOPES if version >= ENOUGH else 0)
    rules = _ask(LIBC.syscall(CREATE_RULESET, asked, ctypes.c_size_t(len(asked)), 0), "a set of rules")
    _allow(rules, readable(), READ_FILE | READ_DIR)
    _allow(rules, map(Path, DEVICES), READ_FILE | 1 << 1)
    _allow(rules, [own], every & ~1)
    _ask(LIBC.syscall(RESTRICT_SELF, rules, 0), "restricting")
    os.close(rules)


@cache
def readable() -> tuple[Path, ...]:
    """Code: Python's own, what is installed, and the packages of this project (not the data that may lie beside)."""
    from squashlib.kernels.jit import FOLDER

    places = {sys.prefix, sys.base_prefix, *site.getsitepackages(), *SYSTEM, str(FOLDER)}
    places |= {str(OWN_CODE / name) for name in ("squashlib", "flows")}
    # A Python of the system has the prefix /usr, whose parts are named above; the rest of it is not code.
    return tuple(Path(place) for place in sorted(places - {"/usr", "/usr/local", "/"}) if Path(place).exists())


def _allow(rules: int, places: Iterable[Path], rights: int) -> None:
    for place in places:
        of_files = rights if place.is_dir() else rights & ~READ_DIR
        opened = os.open(place, os.O_PATH | os.O_CLOEXEC)
        try:
            rule = struct.pack("=Qi", of_files, opened)
            _ask(LIBC.syscall(ADD_RULE, rules, PATH_BENEATH, rule, 0), str(place))
        finally:
            os.close(opened)


def _filter_calls() -> None:
    """Sockets of the file system alone, to listen and never to connect."""
    program = b"".join(struct.pack("HBBI", *step) for step in calls())
    held = ctypes.create_string_buffer(program)
    described = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(held))
    _ask(LIBC.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, described, 0, 0), "a filter of system calls")


def calls() -> list[tuple[int, int, int, int]]:
    """The filter: steps of operation, steps to skip if true and if false, and operand."""
    arch, make_socket, refused = CALLS[platform.machine()]
    last = len(refused) + 8  # the step that refuses, counted from the one that loads the call's number
    steps = [(LOAD, 0, 0, ARCH_AT), (EQUAL, 1, 0, arch), (RETURN, 0, 0, KILL), (LOAD, 0, 0, NUMBER_AT)]
    steps.append((AT_LEAST, last - 1, 0, 0x40000000))  # x32, another numbering of the same machine
    steps += [(EQUAL, last - 2 - i, 0, number) for i, number in enumerate(refused)]
    steps += [
        (EQUAL, 0, 5, make_socket),
        (LOAD, 0, 0, FIRST_AT),
        (EQUAL, 0, 4, AF_UNIX),
        (LOAD, 0, 0, SECOND_AT),
        (AND, 0, 0, 0xF),
        (EQUAL, 0, 1, SOCK_STREAM),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, REFUSE),
    ]
    return steps
