"""Becomes one of PostgreSQL's programs: drops root, asks for SIGINT when the parent dies, executes it.

Run by path in a process of its own, so that nothing runs between fork and exec of a process with threads.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: str, uid: str, gid: str, program: str, *arguments: str) -> None:
    """Replace this process by the program, as the given account where we are root."""
    # Python's handler would only note a signal that comes just before the exec, and so lose it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Now, while we may still read Python's files.
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if os.geteuid() == 0:
        try:
            os.setgroups([])
            os.setgid(int(gid))
            os.setuid(int(uid))
        except OSError as error:
            sys.exit(f"root can't become uid {uid}: {error.strerror}")
    if libc:
        # After setuid: the kernel forgets the wish when credentials change (prctl(2)).
        libc.prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGINT), 0, 0, 0)
    if os.getppid() != int(parent):
        sys.exit("the process that wanted PostgreSQL ended meanwhile")
    try:
        os.execv(program, [program, *arguments])  # noqa: S606 (no shell wanted)
    except OSError as error:
        sys.exit(f"{program}: {error.strerror}")


if __name__ == "__main__":
    main(*sys.argv[1:])
