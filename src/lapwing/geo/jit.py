"""How kernels are compiled: Numba where it works, the same Python where it does not.

A kernel is a function of arrays and numbers. `kernel` compiles it lazily with an on-disk cache (`NUMBA_CACHE_DIR`,
set by the runtime to a versioned directory under the state folder before any kernel is imported; none without it). No
fastmath: replay must be exact. No parallel: the live path is one core. ``LAPWING_PLAIN=1`` in the environment keeps
the plain functions, which is slow and shown as "degraded"; tests use `kernel.py_func` to compare.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])
PLAIN = os.environ.get("LAPWING_PLAIN", "") == "1"
# Numba compares a kernel's own file alone: beside the sources its cache would keep machine code of inner kernels that have changed.
CACHED = bool(os.environ.get("NUMBA_CACHE_DIR"))


def kernel(function: F) -> F:
    """Compile a function of arrays and numbers with Numba (nopython, cached); return it as it is where PLAIN."""
    if PLAIN:
        return function
    from numba import njit

    compiled: Any = njit(cache=CACHED, fastmath=False, nogil=True)(function)
    return cast(F, compiled)


def inner_kernel(function: F) -> F:
    """Compile a function that only kernels call: without the wrappers by which Python would.

    A test that wants the compiled one calls it from a kernel of its own. A division by zero gives inf or nan here.
    """
    if PLAIN:
        return function
    from numba import njit

    options: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    compiled: Any = njit(cache=CACHED, fastmath=False, nogil=True, error_model="numpy", **options)(function)
    return cast(F, compiled)
