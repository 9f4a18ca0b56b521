"""The checkpoint codec gives back what it was given, to the bit, and trusts nothing that it reads."""

import contextlib
import dataclasses
import math
import zlib
from types import MappingProxyType

import hypothesis.extra.numpy as numpy_strategies
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lapwing.model.alerts import ZoneRef
from lapwing.model.errors import StorageError
from lapwing.model.plots import empty_plots
from lapwing.model.sensors import Sensor, SensorTable
from lapwing.record import codec


def same(a, b) -> bool:
    """Return whether two values are equal in type, value and bits (NaN equals the same NaN)."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, np.generic):
        return a.dtype == b.dtype and a.tobytes() == b.tobytes()
    if isinstance(a, float):
        return np.float64(a).tobytes() == np.float64(b).tobytes()
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, (dict, MappingProxyType)):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if dataclasses.is_dataclass(a):
        return all(same(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))
    return a == b


def without_titles(dtype) -> bool:
    """A titled field has two names for one place: no state has one."""
    return all(len(field) == 2 for field in (dtype.fields or {}).values())


arrays = numpy_strategies.arrays(
    st.one_of(numpy_strategies.scalar_dtypes(), st.just(np.dtype("S8")),
              numpy_strategies.array_dtypes(max_size=3).filter(without_titles)),
    numpy_strategies.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), arrays,
                   st.builds(ZoneRef, st.text(), st.text(), st.integers(), st.text()))
keys = st.one_of(st.text(), st.integers(), st.tuples(st.integers(), st.text()))
values = st.recursive(leaves, lambda inner: st.one_of(
    st.lists(inner, max_size=4), st.lists(inner, max_size=4).map(tuple), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=12)


@given(values)
@settings(max_examples=150, deadline=None)
def test_every_value_comes_back_to_the_bit(value):
    assert same(codec.decode(codec.encode(value)), value)


@given(values, st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_octets_raise_a_storage_error_and_nothing_else(value, data):
    octets = bytearray(codec.encode(value))
    at = data.draw(st.integers(0, len(octets) - 1))
    octets[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(StorageError):
        codec.decode(bytes(octets))
    with pytest.raises(StorageError):
        codec.decode(bytes(octets[:at]))


@given(values, st.data())
@settings(max_examples=200, deadline=None)
def test_damage_under_a_right_check_sum_gives_a_value_or_a_storage_error(value, data):
    octets = bytearray(codec.encode(value))
    at = data.draw(st.integers(4, len(octets) - 5))
    octets[at] = data.draw(st.integers(0, 255))
    octets[-4:] = zlib.crc32(octets[:-4]).to_bytes(4, "little")
    with contextlib.suppress(StorageError):
        codec.decode(bytes(octets))


@given(st.binary(max_size=60))
@settings(max_examples=300, deadline=None)
def test_noise_gives_a_value_or_a_storage_error(noise):
    with contextlib.suppress(StorageError):
        codec.decode_body(noise)


def test_numbers_at_their_edges_come_back():
    for value in (math.nan, math.inf, -0.0, 5e-324, 2**63, -(2**200), -128, 128, np.float64(0.1), np.int8(-1),
                  np.datetime64(5, "ns"), np.bytes_(b""), np.str_("Ț"), np.bool_(True), "\ud800"):
        assert same(codec.decode(codec.encode(value)), value), value


def test_model_values_come_back_with_read_only_mappings_inside():
    table = SensorTable((Sensor("a", editions=MappingProxyType({48: "1.32"})), Sensor("b")))
    back = codec.decode(codec.encode((table, empty_plots())))
    assert same(back, (table, empty_plots()))


def test_order_of_the_axes_in_memory_is_kept_so_that_sums_add_up_alike():
    array = np.asfortranarray(np.random.default_rng(1).normal(size=(40, 70)))
    back = codec.decode(codec.encode(array))
    assert back.strides == array.strides
    assert back.sum() == array.sum()
    assert codec.decode(codec.encode(array[::2, ::-3])).tolist() == array[::2, ::-3].tolist()


def test_decoded_arrays_may_be_written_to():
    back = codec.decode(codec.encode(np.zeros(3)))
    back[0] = 1.0
    assert back[0] == 1.0


def test_order_of_keys_is_kept():
    assert list(codec.decode(codec.encode({"b": 1, "a": 2}))) == ["b", "a"]


@dataclasses.dataclass(frozen=True)
class Foreign:
    value: int = 1


class Thawed:
    pass


@pytest.mark.parametrize("value", [Foreign(), Thawed(), {1, 2}, object(), np.array([object()]), {1.5: 0}, lambda: 0,
                                   {"deep": ({"key": Foreign()},)}, bytearray(b"x"), 1j])
def test_other_classes_are_refused(value):
    with pytest.raises(TypeError, match="cannot checkpoint"):
        codec.encode(value)


def test_a_refusal_names_the_path():
    with pytest.raises(TypeError, match=r"'tracks'\.3\.'hypotheses'"):
        codec.encode({"tracks": (0, 1, 2, {"hypotheses": {1}})})


@pytest.mark.parametrize("name", ["os:environ:", "builtins:dict:", "lapwing.__main__:main:", "lapwing.cli.main:main:",
                                  "lapwing.model.errors:StorageError:", "lapwing.model.nowhere:X:",
                                  "lapwing.model.errors:dataclass:", "lapwing.model.plots:np.ndarray:", "x"])
def test_only_frozen_dataclasses_of_lapwing_are_made(name):
    with pytest.raises(StorageError):
        codec.decode_body(b"O\x00" + bytes([len(name)]) + name.encode())


def test_fields_of_another_version_are_refused_in_words():
    octets = codec.encode(ZoneRef("a", "b", 1, "c"))
    body = octets[4:-4].replace(b"code,name,population", b"code,name,inhabitant")
    with pytest.raises(StorageError, match="another version"):
        codec.decode_body(body)


def test_values_nested_without_end_are_refused_both_ways():
    value = ()
    for _ in range(100):
        value = (value,)
    with pytest.raises(TypeError):
        codec.encode(value)
    with pytest.raises(StorageError):
        codec.decode_body(b"t\x01" * 5000 + b"N")


@pytest.mark.parametrize("dtype", [
    [(("title", "f1"), "?"), ("f2", "<f8", (2,))], np.dtype([("a", "u1"), ("b", "f8")], align=True), "M8[ns]", "S0",
    {"names": ["a"], "formats": ["<i2"], "offsets": [3], "itemsize": 9}, [("inner", [("x", ">f4"), ("y", "S3")])]])
def test_dtypes_of_every_build_come_back(dtype):
    array = np.zeros((2, 3), dtype)
    back = codec.decode(codec.encode(array))
    assert back.dtype == array.dtype and repr(back.tolist()) == repr(array.tolist())
    assert codec.encode(array) == codec.encode(np.array(array))
