"""The C library's heap: one for all threads, so that a service does not grow by what each thread's own one cannot reuse.

glibc gives every thread that allocates a heap of its own, from which nothing goes to another thread. Web server, pictures and links
take and free texts of every size in theirs, and each frays: over hours that reads like a leak of a megabyte an hour, though
nothing is held. Threads of Python take turns anyway, so one heap costs them nothing. Other C libraries are left alone.
"""

from __future__ import annotations

import ctypes
import sys

_M_ARENA_MAX = -8      # mallopt(3)


def share_one_heap() -> bool:
    """Have all threads that begin from now on allocate from the main heap; whether the C library took it."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):      # a C library that has none
        return False
    mallopt.argtypes, mallopt.restype = (ctypes.c_int, ctypes.c_int), ctypes.c_int
    return bool(mallopt(_M_ARENA_MAX, 1))
