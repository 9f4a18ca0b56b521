"""`lapwing listen` says what is on a link, and ends with a block that the sensors file takes."""

import json
import math
import time
import tomllib

import pytest

from lapwing.adapters.udp import UdpSender
from lapwing.cli.main import main
from lapwing.model.errors import ConfigError
from lapwing.model.sensors import SensorTable
from lapwing.runtime.listening import listen, parse_duration
from lapwing.sense.asterix.encode import encode_block
from lapwing.sense.sensors_file import parse_sensors

SOURCE = {"SAC": 25, "SIC": 201}


def datagrams():
    """Ten turns of 4 s, sent at once: the last one is of now."""
    now_s = time.time() % 86_400.0
    for turn in range(10):
        at = (now_s - 4.0 * (9 - turn) - 0.5) % 86_400.0
        yield encode_block(34, [{"010": SOURCE, "000": 1, "030": at, "120": {"HGT": 180, "LAT": 45.19, "LON": 28.8}}])
        yield encode_block(48, [{"010": SOURCE, "140": at, "020": {"TYP": 1}, "040": {"RHO": 20.0 + turn, "THETA": 30.0}}])
    yield encode_block(48, [{"010": SOURCE, "140": at, "020": {"TYP": 1}, "040": {"RHO": 29.0, "THETA": 30.0}}])
    yield b"\x30\x00"


def send_all(link):
    sender = UdpSender(f"udp://127.0.0.1:{link.port}")
    for payload in datagrams():
        sender.send(payload)
    sender.close()


@pytest.fixture
def port():
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_radar_on_the_link_is_told_with_edition_rotation_position_and_what_is_wrong(port, tmp_path, capsys):
    saved = tmp_path / "heard.pcap"
    url = f"udp://127.0.0.1:{port}"
    assert listen(url, for_s=0.5, save=saved, sensors=SensorTable(), as_json=True, ready=send_all) == 0
    told = json.loads(capsys.readouterr().out)
    [source] = told["sources"]
    assert (source["sac"], source["sic"], source["rotation_s"]) == (25, 201, pytest.approx(4.0, abs=0.01))
    assert source["lat_deg"] == pytest.approx(45.19, abs=1e-4) and source["north_marks"] == 10 and told["duplicates"] == 1
    assert [each["edition"] for each in source["categories"]] == ["1.29", "1.32"] and told["dropped_by_kernel"] == 0
    assert 0.4 < source["delay_s_least"] < 2.0 and len(told["refusals"]) == 2
    [sensor] = parse_sensors(told["sensors_toml"].encode(), "pasted.toml").rows
    assert (sensor.sac, sensor.sic) == (25, 201) and math.degrees(sensor.longitude_rad) == pytest.approx(28.8, abs=1e-4)
    assert sensor.range_m_max == 55_000.0 and sensor.editions[48] == "1.32"
    assert main(["decode", str(saved), "--quiet"]) in (0, 1)
    assert len(capsys.readouterr().out.splitlines()) == 21


def test_words_end_with_a_block_to_paste_and_silence_says_what_to_check(port, capsys):
    url = f"udp://127.0.0.1:{port}"
    assert listen(url, for_s=0.4, save=None, sensors=SensorTable(), as_json=False, ready=send_all) == 0
    text = capsys.readouterr().out
    assert "duplicates: 1" in text and "a turn takes 4.000 s" in text
    assert tomllib.loads(text[text.index("[sensor."):])["sensor"]["s25-201"]["sac"] == 25
    assert listen(url, for_s=0.3, save=None, sensors=SensorTable(), as_json=False) == 1
    assert "nothing came: check group" in capsys.readouterr().out


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("2m", 120), ("1h", 3600), ("500ms", 0.5), ("7", 7)])
def test_durations_are_read(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-3s", "0", "soon", "nan", "1e9h"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ConfigError):
        parse_duration(text)


@pytest.mark.parametrize("url", ["udp://", "nothing", "udp://1.2.3.4:99999", "udp://239.1.1.1:8600?iface=nosuch0", "http://x:1"])
def test_what_is_no_link_ends_with_words_and_status_2(url, capsys):
    assert main(["listen", url, "--for", "1s"]) == 2
    assert "lapwing listen:" in capsys.readouterr().err
