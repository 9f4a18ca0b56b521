"""The journal in memory keeps the rules of every journal."""

import pytest
from log_suite import LogSuite

from lapwing.adapters.memory_log import MemoryLog, MemoryStore


def new_opener_():
    store = MemoryStore()
    return lambda **options: MemoryLog(store, **options)


class TestMemoryLog(LogSuite):
    @pytest.fixture
    def new_opener(self):
        return new_opener_

    @pytest.fixture
    def opener(self):
        return new_opener_()
