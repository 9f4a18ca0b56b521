"""The system plane: there and back, conformal, true directions."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from lapwing.geo.plane import from_plane, make_plane, to_plane

GEOD = Geod(ellps="WGS84")


@settings(max_examples=60, deadline=None)
@given(st.floats(-70, 70), st.floats(-180, 180), st.floats(0, 360), st.floats(0, 300_000))
def test_point_returns_within_a_millimetre(lat, lon, azimuth, distance):
    lon1, lat1, _ = GEOD.fwd(lon, lat, azimuth, distance)
    plane = make_plane(np.radians(lat), np.radians(lon))
    points = to_plane(plane, np.radians([lat1]), np.radians([lon1]))
    lat2, lon2 = from_plane(plane, points.east_m, points.north_m)
    assert GEOD.inv(lon1, lat1, np.degrees(lon2[0]), np.degrees(lat2[0]))[2] < 1e-3


@settings(max_examples=60, deadline=None)
@given(st.floats(-65, 65), st.floats(0, 360), st.floats(0, 300_000), st.floats(0, 360))
def test_short_step_has_its_true_length_and_direction(lat, azimuth, distance, heading):
    plane = make_plane(np.radians(lat), np.radians(28.0))
    lon1, lat1, _ = GEOD.fwd(28.0, lat, azimuth, distance)
    lon2, lat2, _ = GEOD.fwd(lon1, lat1, heading, 100.0)
    p = to_plane(plane, np.radians([lat1, lat2]), np.radians([lon1, lon2]))
    step = np.array([p.east_m[1] - p.east_m[0], p.north_m[1] - p.north_m[0]]) / p.scale[0]
    east = step @ np.array([p.north_north[0], -p.north_east[0]])
    north = step @ np.array([p.north_east[0], p.north_north[0]])
    expected = 100 * np.array([np.sin(np.radians(heading)), np.cos(np.radians(heading))])
    assert np.allclose([east, north], expected, atol=0.01)
