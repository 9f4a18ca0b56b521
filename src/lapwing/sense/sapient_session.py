"""The server side of a SAPIENT link, without a socket: a message comes, the answers to it go.

* a registration is acknowledged, or refused with what is wrong in it;
* status and detections of a node that never registered get an Error;
* an alert is acknowledged;
* a task is refused with a TaskAck: Lapwing watches and warns, it steers nothing and engages nothing. Only requests for our
  own registration or status are granted.

The messages themselves are journaled as entries; what they mean is read by `sapient`.
"""

from __future__ import annotations

import hashlib
from typing import Any

from lapwing.model.ids import make_id
from lapwing.model.times import NS_PER_S
from lapwing.sense import sapient_check, sapient_wire
from lapwing.sense.findings import ERROR

OWN_ID = make_id("sapient", "lapwing")
REFUSED = "refused: this system watches and warns; it takes no tasks, and commands no effector, ever"
REASONS_MAX = 10
PACKET_OCTETS_MAX = 4_096
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_REQUESTS = ("registration", "status")


def make_ulid(now_ns: int, *parts: object) -> str:
    """Return a ULID of a time; its 80 free bits come from the parts, so the same input gives the same id."""
    free = hashlib.blake2b(" ".join(map(str, parts)).encode(), digest_size=10).digest()
    value = ((now_ns // 1_000_000 & 0xFFFF_FFFF_FFFF) << 80) | int.from_bytes(free, "big")
    return "".join(_CROCKFORD[value >> shift & 31] for shift in range(125, -1, -5))


class Session:
    """One connection. `nodes` are the ids of the nodes that registered over it."""

    def __init__(self, own_id: str = OWN_ID) -> None:
        self._own_id = own_id
        self.nodes: set[str] = set()
        self.refused_count = 0
        self._sent = 0

    def answer(self, payload: bytes, now_ns: int) -> list[bytes]:
        """Return the answers to a message, as protobuf without frames, in the order they are to be sent."""
        try:
            message = sapient_wire.parse_binary(payload)
        except sapient_wire.BadMessage as error:
            return [self._error(now_ns, "", payload, [str(error)])]
        wrong = [f"{f.path}: {f.message}" for f in sapient_check.check_message(message) if f.severity == ERROR]
        content = message.WhichOneof("content")
        node_id = message.node_id
        if content == "registration":
            return [self._registration_ack(now_ns, node_id, wrong)]
        if wrong:
            return [self._error(now_ns, node_id, payload, wrong)]
        if content in ("status_report", "detection_report") and node_id.lower() not in self.nodes:
            return [self._error(now_ns, node_id, payload, ["register first: nothing is known of this node"])]
        if content == "status_report" and message.status_report.system == 5:
            self.nodes.discard(node_id.lower())
        if content == "alert":
            answer = self._message(now_ns, node_id)
            answer.alert_ack.alert_id = message.alert.alert_id
            answer.alert_ack.alert_ack_status = 1
            return [self._octets(answer)]
        return self._task(now_ns, node_id, message.task) if content == "task" else []

    def _message(self, now_ns: int, to_id: str) -> Any:
        message = sapient_wire.schema().SapientMessage()
        message.timestamp.seconds, message.timestamp.nanos = divmod(now_ns, NS_PER_S)
        message.node_id = self._own_id
        if to_id:
            message.destination_id = to_id
        self._sent += 1
        return message

    def _octets(self, message: Any) -> bytes:
        octets: bytes = message.SerializeToString(deterministic=True)
        return octets

    def _error(self, now_ns: int, to_id: str, payload: bytes, reasons: list[str]) -> bytes:
        self.refused_count += 1
        answer = self._message(now_ns, to_id if not any("node_id" in reason for reason in reasons) else "")
        answer.error.packet = payload[:PACKET_OCTETS_MAX] or b"\0"
        answer.error.error_message.extend(reasons[:REASONS_MAX])
        return self._octets(answer)

    def _registration_ack(self, now_ns: int, node_id: str, wrong: list[str]) -> bytes:
        answer = self._message(now_ns, node_id if not any("node_id" in reason for reason in wrong) else "")
        answer.registration_ack.acceptance = not wrong
        answer.registration_ack.ack_response_reason.extend(wrong[:REASONS_MAX])
        if wrong:
            self.refused_count += 1
        else:
            self.nodes.add(node_id.lower())
        return self._octets(answer)

    def _task(self, now_ns: int, node_id: str, task: Any) -> list[bytes]:
        asked = task.command.request.strip().lower() if task.command.WhichOneof("command") == "request" else ""
        granted = asked in _REQUESTS and task.control == 1
        answer = self._message(now_ns, node_id)
        answer.task_ack.task_id = task.task_id
        answer.task_ack.task_status = 1 if granted else 2
        if not granted:
            self.refused_count += 1
            answer.task_ack.reason.append(REFUSED)
            return [self._octets(answer)]
        told = self._message(now_ns, node_id)
        if asked == "registration":
            _describe_us(told.registration)
        else:
            told.status_report.report_id = make_ulid(now_ns, self._own_id, self._sent)
            told.status_report.system, told.status_report.info, told.status_report.mode = 1, 1, "watch"
        return [self._octets(answer), self._octets(told)]


def _describe_us(registration: Any) -> None:
    """Fill in our own registration: a fusion node without detections or effectors of its own."""
    registration.node_definition.add().node_type = 20
    registration.icd_version = "BSI Flex 335 v2.0"
    registration.name, registration.short_name = "Lapwing air surveillance and public warning", "Lapwing"
    capability = registration.capabilities.add()
    capability.category, capability.type = "fusion", "tracks and border verdicts from the detections of registered nodes"
    registration.status_definition.status_interval.units = 4
    registration.status_definition.status_interval.value = 10.0
    mode = registration.mode_definition.add()
    mode.mode_name, mode.mode_type = "watch", 1
    mode.settle_time.units, mode.settle_time.value = 4, 0.0
    region = mode.task.region_definition
    region.region_type.append(1)
    area = region.region_area.add()
    area.location_units, area.location_datum = 1, 1
    data = registration.config_data.add()
    data.manufacturer, data.model = "Lapwing", "Lapwing"
