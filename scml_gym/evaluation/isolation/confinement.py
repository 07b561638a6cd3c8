"""What a process in which a player's code runs can reach: no descriptor of the evaluation, and no other process.

It has a session of its own, in which no terminal's signal reaches it, a limit on memory, and it ends with the process
that started it. On Linux it also may not signal, trace or write into any process but itself, by a system-call filter
(seccomp) that it cannot take off. It has the rights of the user otherwise: files and the network are not kept from it.

Sources: linux/seccomp.h, linux/filter.h, linux/audit.h; prctl(2), seccomp(2).
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import struct
import sys

MOST_MEMORY = 8 * 2**30
"""Bytes that a process of players may allocate."""

MOST_PROCESSES = 64
"""That players may have running in one world."""

_PDEATHSIG, _SECCOMP, _SUBREAPER, _NO_NEW_PRIVILEGES = 1, 22, 36, 38  # of prctl
_FILTER_MODE = 2

_CALLS = {
    # architecture: its number, those that act on a process by its id, those that reach into another one
    "x86_64": (0xC000003E, (62, 234, 129, 297, 302), (101, 200, 310, 311, 424, 434)),
    "aarch64": (0xC00000B7, (129, 131, 138, 240, 261), (117, 130, 270, 271, 424, 434)),
}
"""kill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo, prlimit64; ptrace, tkill, process_vm_readv, process_vm_writev,
pidfd_send_signal, pidfd_open."""

_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_OTHER_NUMBERS = 0x40000000  # of x32, by which the same calls can be made
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1  # with EPERM


def confine(*kept: int) -> None:
    """Make this process one in which a player's code may run: called once, after a fork and before any such code.

    Args:
        kept: Descriptors that stay open, beside the standard ones, which lead nowhere.
    """
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nowhere, descriptor)
    low = 3
    for descriptor in sorted(kept):
        os.closerange(low, descriptor)
        low = descriptor + 1
    os.closerange(low, 1 << 16)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    _limit()
    end_with_parent()
    _forbid_signals()


def end_with_parent() -> None:
    """From now on this process is killed when the one that forked it ends; on Linux only."""
    _prctl(_PDEATHSIG, signal.SIGKILL)


def adopt_orphans() -> None:
    """From now on processes below this one whose parents end are this one's children; on Linux only."""
    _prctl(_SUBREAPER, 1)


def _limit() -> None:
    import resource

    for kind, most in ((resource.RLIMIT_DATA, MOST_MEMORY), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(kind)[1]
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (least, least))


def _prctl(option: int, *values: object) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    return ctypes.CDLL(None, use_errno=True).prctl(option, *values, *[0] * (4 - len(values))) == 0


def _forbid_signals() -> None:
    """Only to itself and, by 0, to its own group; where the system has no such filter nothing is changed."""
    known = _CALLS.get(platform.machine())
    if known is None or not _prctl(_NO_NEW_PRIVILEGES, 1):
        return
    program = _filter(*known)
    buffer = ctypes.create_string_buffer(program, len(program))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    _prctl(_SECCOMP, _FILTER_MODE, ctypes.byref(Program(len(program) // 8, ctypes.addressof(buffer))))


def _filter(architecture: int, signals: tuple[int, ...], reaching: tuple[int, ...]) -> bytes:
    """The filter's program: instructions of 8 bytes each, code, two jumps and a number."""
    refuse, own = [(_RETURN, 0, 0, _REFUSE)], os.getpid()
    # the first argument, a process id: its lower half, as ids are ints
    judge = [(_LOAD, 0, 0, 16), (_EQUAL, 1, 0, own), (_EQUAL, 0, 1, 0), (_RETURN, 0, 0, _ALLOW), *refuse]
    lines = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, architecture), *refuse, (_LOAD, 0, 0, 0)]
    lines += [(_AT_LEAST, 0, 1, _OTHER_NUMBERS), *refuse]
    for number in reaching:
        lines += [(_EQUAL, 0, 1, number), *refuse]
    for number in signals:
        lines += [(_EQUAL, 0, len(judge), number), *judge]
    lines.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("HBBI", *line) for line in lines)
