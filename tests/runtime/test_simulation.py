"""The service in made-up worlds of failing disks, networks, clocks and processes. A failure prints its seed."""

import pytest
import simulated_site as sim

from lapwing.model.sensors import Sensor, SensorTable
from lapwing.record import codec
from lapwing.runtime import live, wiring
from lapwing.runtime.environment import state_dir

FEW = 6


@pytest.fixture(scope="module")
def site():
    import math

    table = SensorTable((Sensor("tulcea", sac=25, sic=201, latitude_rad=math.radians(45.19), longitude_rad=math.radians(28.80),
                                height_m=130.0, rotation_s=1.0, range_m_sigma=30.0, azimuth_rad_sigma=math.radians(0.05),
                                categories=(48,)),))
    country = wiring.load_country("ro", state_dir())
    facts = {"lapwing": live.__version__, "status": "Exercise", "sensors": codec.encode(table).hex(), "country": "RO",
             "country_sha256": country.pack.sha256, "country_version": country.pack.version}
    return wiring.make_setup(table, country), facts


def play(seed, tmp_path, site):
    world = sim.World(seed, tmp_path, *site)
    try:
        sim.run(world)
        sim.check(world)
    except BaseException as error:
        raise AssertionError(f"seed {seed}: {error}") from error
    return world


def test_a_few_worlds_lose_nothing_and_double_nothing(tmp_path, site):
    worlds = [play(seed, tmp_path / str(seed), site) for seed in range(1, FEW + 1)]
    assert sum(world.deaths for world in worlds) >= FEW and sum(len(world.delivered) for world in worlds) >= FEW


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1, 241, 40))
def test_two_hundred_and_forty_worlds_lose_nothing_and_double_nothing(tmp_path, site, first):
    worlds = [play(seed, tmp_path / str(seed), site) for seed in range(first, first + 40)]
    assert sum(world.failures for world in worlds) > 3 and sum(world.deaths for world in worlds) > 40
