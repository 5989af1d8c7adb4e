"""Keeps the memory of freed tensors in the process, where the C library would hand it back to the system."""

from __future__ import annotations

import ctypes
import platform

# Parameters of `mallopt`, from glibc's <malloc.h>.
_M_TRIM_THRESHOLD = -1
_M_MMAP_MAX = -4


def keep_freed_memory() -> bool:
    """Makes glibc reuse freed memory instead of returning it to the system.

    glibc maps every block of more than 32 MB afresh, and unmaps it when it is freed. A training step allocates and
    frees many such tensors, and the system clears each page of them before it hands it out: on CPUs that takes a good
    part of the step. The price is that the process keeps the memory of its largest step until it ends, so this is for
    programs that train, not for libraries.

    Returns:
        True if the C library takes the setting: on Linux with glibc, not with musl, and not on macOS or Windows.

    Example:

    ```python
    keep_freed_memory()
    model.fit(dataset, epochs=10)
    ```
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    # -1 becomes the largest size: never trim.
    return bool(mallopt(_M_MMAP_MAX, 0)) and bool(mallopt(_M_TRIM_THRESHOLD, -1))
