"""What a pinned consumer group of JetStream would give a hot standby: how quick, in what order, and whether it fences.

    python tools/measure_pinned_group.py [PIN_S]

Two clients pull from one group of a server of their own on loopback. The pinned one takes a message and dies before it acknowledges it.
docs/cluster.md quotes the answer beside the lease's.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import nats

from lapwing.adapters.nats_server import Server, ServerPlan, free_port

ACK_WAIT_S = 10.0
PULL_S, EVERY_S = 0.5, 0.05
RUNS = 3


async def ask(client: Any, subject: str, body: dict[str, Any]) -> None:
    """Ask the JetStream API; end with its words where it refuses."""
    answer = json.loads((await client.request(f"$JS.API.{subject}", json.dumps(body).encode(), timeout=5.0)).data)
    if "error" in answer:
        sys.exit(f"{subject}: {answer['error']}")


async def pull(client: Any, consumer: str, got: list[tuple[float, int]], dying: asyncio.Event, over: asyncio.Event) -> None:
    """Take and acknowledge message after message; where `dying` is set, die with the next one in hand."""
    inbox = client.new_inbox()
    answers = await client.subscribe(inbox)
    pin = ""
    while not over.is_set():
        body = {"batch": 1, "expires": int(PULL_S * 1e9), "group": "site"} | ({"id": pin} if pin else {})
        await client.publish(f"$JS.API.CONSUMER.MSG.NEXT.IN.{consumer}", json.dumps(body).encode(), reply=inbox)
        try:
            message = await answers.next_msg(timeout=2.0 * PULL_S)
        except nats.errors.TimeoutError:
            continue
        headers = message.headers or {}
        if "Status" in headers:          # nothing came in time, or (423) somebody else is pinned
            pin = "" if headers["Status"] == "423" else pin
            continue
        pin = headers.get("Nats-Pin-Id", pin)
        got.append((time.monotonic(), int(message.reply.split(".")[5])))
        if dying.is_set():
            return
        await message.respond(b"+ACK")


async def measure(url: str, pin_s: float, run: int) -> None:
    """Let one client die and print what the other one gets."""
    feeder, *pullers = [await nats.connect(url) for _ in range(3)]
    consumer = f"run{run}"
    await ask(feeder, f"CONSUMER.DURABLE.CREATE.IN.{consumer}", {"stream_name": "IN", "config": {
        "durable_name": consumer, "ack_policy": "explicit", "deliver_policy": "new", "ack_wait": int(ACK_WAIT_S * 1e9),
        "priority_policy": "pinned_client", "priority_groups": ["site"], "priority_timeout": int(pin_s * 1e9)}})
    got: tuple[list[tuple[float, int]], ...] = ([], [])
    dying, over = (asyncio.Event(), asyncio.Event()), asyncio.Event()
    tasks = [asyncio.create_task(pull(*each, over)) for each in zip(pullers, [consumer] * 2, got, dying, strict=True)]
    begun_s = time.monotonic()
    while (now_s := time.monotonic() - begun_s) < 2.0 + pin_s + ACK_WAIT_S + 2.0:
        await feeder.request("in.plots", b"plots", timeout=2.0)
        await asyncio.sleep(EVERY_S)
        if now_s > 2.0 and not (dying[0].is_set() or dying[1].is_set()):
            dead = 0 if got[0] else 1          # whoever is pinned
            dying[dead].set()
    over.set()
    died_s, last = got[dead][-1]
    heir = got[1 - dead]
    late = [(when_s - died_s, sum(1 for _, sequence in heir[:place] if sequence > last))
            for place, (when_s, sequence) in enumerate(heir) if sequence == last]
    stale = json.loads((await pullers[dead].request("out.alert", b"stale", timeout=2.0)).data)
    print(f"the heir begins {heir[0][0] - died_s:.2f} s after the dead one's last message ({last}), with message {heir[0][1]}; "
          f"{last} comes after {late[0][0]:.2f} s, behind {late[0][1]} newer ones; "
          f"what the dead one publishes then is {'refused' if 'error' in stale else 'taken'}")
    await asyncio.gather(*tasks)
    for client in (feeder, *pullers):
        await client.close()


async def main(pin_s: float) -> None:
    """Measure a few times on a server of its own."""
    with tempfile.TemporaryDirectory(prefix="lapwing-pinned-") as name:
        server = Server(ServerPlan("one", Path(name), free_port()))
        server.start()
        server.wait_ready()
        try:
            client = await nats.connect(server.url)
            for stream in ("IN", "OUT"):
                await ask(client, f"STREAM.CREATE.{stream}", {"name": stream, "subjects": [f"{stream.lower()}.>"], "storage": "file"})
            await client.close()
            for run in range(RUNS):
                await measure(server.url, pin_s, run)
        finally:
            server.stop()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 3.0))
