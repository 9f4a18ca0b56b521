"""SAPIENT nodes on a real TCP socket: they register, are answered, and their bearings reach the tracker's input."""

import json
import math
import socket
import threading

import numpy as np
import pytest

pytest.importorskip("sapient_msg")

from google.protobuf import json_format

from lapwing import pipeline, sense
from lapwing.adapters.links import Surroundings, open_link
from lapwing.model.entries import Entry
from lapwing.model.times import from_iso
from lapwing.sense import sapient_wire
from lapwing.sense.sapient_check import check_message
from lapwing.sense.sapient_session import OWN_ID, Session, make_ulid

NOW_NS = from_iso("2026-11-23T01:59:28Z")
NODE = "730c359f-c580-4a73-803f-c12b25013b78"


def octets(message):
    built = sapient_wire.schema().SapientMessage()
    json_format.ParseDict({"timestamp": "2026-11-23T01:59:27.250Z", "nodeId": NODE, **message}, built)
    assert not [f for f in check_message(built) if f.severity == "error"]
    return built.SerializeToString()


def registration(shared):
    told = json.loads((shared / "data/interop/sapient/made/registration_radar.json").read_bytes())["registration"]
    told["nodeDefinition"] = [{"nodeType": "NODE_TYPE_ACOUSTIC"}]
    told["name"], told["shortName"] = "Danube bank 3", "ear-3"
    return octets({"registration": told})


STATUS = {"statusReport": {"reportId": make_ulid(NOW_NS, 1), "system": "SYSTEM_OK", "info": "INFO_NEW", "mode": "default",
                           "nodeLocation": {"x": 28.42, "y": 45.23, "z": 35.0, "datum": "LOCATION_DATUM_WGS84_E",
                                            "coordinateSystem": "LOCATION_COORDINATE_SYSTEM_LAT_LNG_DEG_M"}}}
HEARD = {"detectionReport": {"reportId": make_ulid(NOW_NS, 2), "objectId": make_ulid(NOW_NS, 3), "rangeBearing": {
    "azimuth": 211.0, "azimuthError": 8.0, "coordinateSystem": "RANGE_BEARING_COORDINATE_SYSTEM_DEGREES_M",
    "datum": "RANGE_BEARING_DATUM_TRUE"}}}
FIRE = {"task": {"taskId": make_ulid(NOW_NS, 4), "control": "CONTROL_START", "command": {"request": "Engage"}}}


def answers(data):
    reader = sapient_wire.FrameReader()
    return [sapient_wire.parse_binary(payload) for payload in reader.feed(data)]


def test_a_registered_acoustic_node_drives_a_bearing_into_the_trackers_input(shared):
    link = open_link("sapient://127.0.0.1:0", Surroundings(lambda: NOW_NS, lambda _: True))
    got = []
    reader = threading.Thread(target=lambda: got.extend(link))
    reader.start()
    with socket.create_connection(("127.0.0.1", link.port), 5) as node:
        node.settimeout(5)
        told = b""
        stream = b"".join(sapient_wire.frame(m) for m in (registration(shared), octets(STATUS), octets(FIRE), octets(HEARD)))
        for at in range(0, len(stream), 700):      # frames cut anywhere
            node.sendall(stream[at : at + 700])
        while len(answers(told)) < 2:
            told += node.recv(65_536)
    link.close()
    reader.join(5)
    accepted, refused = answers(told)
    assert accepted.registration_ack.acceptance and refused.task_ack.task_status == 2 and refused.node_id == OWN_ID

    entries = tuple(Entry(k, *item) for k, item in enumerate(got))
    _, outcome = pipeline.step(pipeline.State(), entries, pipeline.Setup(sense=sense.SenseSetup()))
    bearings = outcome.sensed.bearings
    assert len(bearings) == 1 and math.degrees(bearings.azimuth_rad[0]) == pytest.approx(211.0) and bearings.sound[0]
    assert np.allclose(np.degrees([bearings.latitude_rad[0], bearings.longitude_rad[0]]), (45.23, 28.42))
    assert outcome.sensed.sensors.rows[bearings.sensor_index[0]].id == "ear-3"


def test_every_answer_is_itself_a_valid_message(shared):
    session = Session()
    status_task = {"task": FIRE["task"] | {"command": {"request": "Status"}}}
    registration_task = {"task": FIRE["task"] | {"command": {"request": "Registration"}}}
    sent = [octets(STATUS), b"\xff", registration(shared), octets(STATUS), octets(FIRE), octets(status_task),
            octets(registration_task), octets({"alert": {"alertId": make_ulid(NOW_NS, 5)}})]
    told = [[sapient_wire.parse_binary(octets_) for octets_ in session.answer(message, NOW_NS)] for message in sent]
    assert [[m.WhichOneof("content") for m in some] for some in told] == [
        ["error"], ["error"], ["registration_ack"], [], ["task_ack"], ["task_ack", "status_report"],
        ["task_ack", "registration"], ["alert_ack"]]
    assert not [f for some in told for m in some for f in check_message(m) if f.severity == "error"]


def test_a_length_bomb_closes_the_connection_and_takes_nothing():
    link = open_link("sapient://127.0.0.1:0", Surroundings(lambda: NOW_NS, lambda _: True))
    got = []
    reader = threading.Thread(target=lambda: got.extend(link))
    reader.start()
    with socket.create_connection(("127.0.0.1", link.port), 5) as node:
        node.settimeout(5)
        node.sendall(b"\xf0\xff\xff\xff" + b"x" * 100)
        assert node.recv(10) == b""
    link.close()
    reader.join(5)
    assert not got and "octets is announced" in link.failures[-1]
