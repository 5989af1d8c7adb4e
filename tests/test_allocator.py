"""Freed memory stays with the process once it is asked to."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from keras_segformer import allocator

_COUNT_PAGE_FAULTS = """
import resource
import runpy
import sys
import numpy as np

path, mode = sys.argv[1:]
if mode == "keep":
    assert runpy.run_path(path)["keep_freed_memory"]()  # alone, because the package imports Keras
np.ones(16 << 20)  # 128 MB, which only the first time may take pages from the system
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    np.ones(16 << 20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _page_faults(mode: str) -> int:
    command = [sys.executable, "-c", _COUNT_PAGE_FAULTS, allocator.__file__, mode]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has mallopt")
def test_large_blocks_are_reused():
    assert _page_faults("keep") < 100 < _page_faults("as it is")


def test_other_c_libraries_are_left_alone(monkeypatch):
    monkeypatch.setattr(allocator.platform, "libc_ver", lambda: ("", ""))

    assert not allocator.keep_freed_memory()
