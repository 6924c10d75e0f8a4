"""Memory that was freed goes back to the machine."""

from __future__ import annotations

import ctypes
import gc
import sys


def release_memory() -> None:
    """Hand freed memory back to the operating system, where its C library can.

    Threads that decode, infer and encode each free memory into a pool of their own, which nobody
    else can use: 135 of 375 MB after people were found in the shared walk by two workers.
    """
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's alone
        if trim is not None:
            trim(0)
