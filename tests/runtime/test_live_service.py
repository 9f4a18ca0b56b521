"""The live service as a real process: ASTERIX over UDP in, tracks, a proposal and a CAP file out; killed, it goes on."""

import signal
import subprocess
import sys

import pytest
from live_site import SITE, Radar, Running, free_port, wait_for

from lapwing.cli.main import main


@pytest.fixture
def site(tmp_path):
    port = free_port()
    (tmp_path / "site.toml").write_text(SITE.format(port=port))
    return tmp_path / "site.toml", port


@pytest.mark.slow
def test_plots_become_a_track_and_a_proposal_and_a_kill_loses_neither(site):
    config, port = site
    running = Running(config)
    radar = Radar(port)

    def tracks() -> list:
        radar.due()
        status, picture = running.get("/api/picture")
        return [t for t in picture["tracks"] if t["confirmed"]] if status == 200 else []

    def proposals() -> list:
        radar.due()
        return running.get("/api/alerts")[1]["proposals"]

    try:
        track = wait_for(tracks)[0]
        proposal = wait_for(proposals)[0]
        status, ready = running.get("/readyz")
        assert status == 200 and [(s["id"], s["state"]) for s in ready["sensors"]] == [("tulcea", "reports")], ready
        assert 'lapwing_sensor_state{sensor="tulcea",state="reports"} 1' in running.get("/metrics")[1]
        running.kill()

        running = Running(config)
        assert [t["id"] for t in wait_for(tracks)] == [track["id"]]
        assert [p["id"] for p in wait_for(proposals)] == [proposal["id"]]
        for officer in ("A. First", "B. Second")[: proposal["approvals_needed"]]:
            assert running.post("/api/command", {"action": "approve", "alert_id": proposal["id"], "by": officer})[0] == 202
        folder = config.parent / "data" / "alerts"
        wait_for(lambda: (radar.due(), list(folder.glob("*.xml")))[1])

        config.write_text(config.read_text().replace("rotation_s = 1.0", "rotation_s = 1.1"))
        running.process.send_signal(signal.SIGHUP)
        wait_for(lambda: (radar.due(), any("read again" in line["text"] for line in running.lines()))[1])
        assert [t["id"] for t in wait_for(tracks)] == [track["id"]]
        wait_for(lambda: 'lapwing_link_entries_total{link="radar"}' in running.get("/metrics")[1])
        wait_for(lambda: "lapwing_deliveries_waiting" not in running.get("/metrics")[1])
        assert running.stop() == 0
    finally:
        running.process.kill()
    assert main(["verify", str(config.parent / "data" / "journal")]) == 0
    journal = config.parent / "data" / "journal" / "journal-000002.sqlite"
    assert main(["verify", str(journal)]) == 0
    assert not any(line["level"] == "error" for line in running.lines())


def test_run_says_what_is_wrong_with_a_site_and_exits_with_2(tmp_path):
    config = tmp_path / "site.toml"
    config.write_text('[site]\ncountry = "xx"\n')
    done = subprocess.run([sys.executable, "-c", "import sys; from lapwing.cli.main import main; sys.exit(main(['run', sys.argv[1]]))",
                           str(config)], capture_output=True, text=True)
    assert done.returncode == 2 and "site.toml [site] country = 'xx'" in done.stderr and "known: " in done.stderr
