"""A service that runs for months: one heap for its threads, and a stall that is named without reading a file."""

import linecache
import platform
import subprocess
import sys
import threading

import pytest

from lapwing.runtime.stall import StallWatch

HEAPS = """
import ctypes, threading
from lapwing.runtime.heap import share_one_heap
if {shared}:
    assert share_one_heap()
together = threading.Barrier(8)
def work():
    text = [bytes(1_000 + n) for n in range(200)]
    together.wait()
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, out)
libc.fflush(out)
"""


def heaps(shared):
    done = subprocess.run([sys.executable, "-c", HEAPS.format(shared=shared)], capture_output=True, text=True, check=True)
    return done.stdout.count("<heap nr=")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have one heap, or a way of their own")
def test_the_threads_of_a_service_share_one_heap():
    assert heaps(shared=True) == 1 < heaps(shared=False)


def test_a_stall_is_named_by_function_and_line_and_no_source_is_kept():
    texts, said = [], threading.Event()

    def say(level, text):
        texts.append(text)
        said.set()

    def stands():
        assert said.wait(30.0), "nothing was said"

    watch = StallWatch(0.01, say)
    before = set(linecache.cache)
    watch.start()
    stands()
    watch.close()
    assert watch.count == 1
    assert "in wait" in texts[0] and " stands > threading.py:" in texts[0] and "test_heap_and_stall.py:" in texts[0]
    assert set(linecache.cache) == before
