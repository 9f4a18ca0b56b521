"""The console in a real browser: it loads, shows tracks and a warning, takes a decision, without any error."""

import json
import os
import shutil
import threading
from pathlib import Path

import pytest
from fake_feed import Show, made_up_pack

from lapwing.web.app import create_app
from lapwing.web.hub import Hub
from lapwing.web.serve import start

pytestmark = pytest.mark.browser
WAIT_MS = 240_000    # never reached but where something is wrong: a busy machine must not fail a test
ARGUMENTS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]


def chromium_path() -> str:
    """Return the browser's path; skip without one, fail without one under CI."""
    found = (
        os.environ.get("LAPWING_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    )
    if not found or not Path(found).exists():
        reason = "no Chromium: install one, or name it in LAPWING_CHROMIUM"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="module")
def browser():
    path = chromium_path()
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield opened
        opened.close()


class Stage:
    """A played evening with its server, stepped by a thread, and a page that counts everything that goes wrong."""

    def __init__(self, browser, *, play_s: float, moving: bool = True) -> None:
        self.taken: list[tuple[str, bytes]] = []
        self.hub = Hub(lambda kind, payload: self.taken.append((kind, payload)))
        self.show = Show(self.hub, made_up_pack())
        self.show.skip(play_s)
        self.server = start(create_app(self.hub), port=0)
        self.over = threading.Event()
        self.player = threading.Thread(target=self._play, daemon=True)
        if moving:
            self.player.start()
        self.faults: list[str] = []
        self.page = browser.new_page(viewport={"width": 1440, "height": 900})
        self.page.on("console", lambda m: self.faults.append(m.text) if m.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda e: self.faults.append(str(e)))
        self.page.on("requestfailed", lambda r: self.faults.append(f"failed {r.url}"))
        self.page.on("response", lambda r: self.faults.append(f"{r.status} {r.url}") if r.status >= 400 else None)
        self.page.on("request", lambda r: None if self._own(r.url) else self.faults.append(f"foreign {r.url}"))

    def _own(self, url: str) -> bool:
        return url.startswith((self.server.url, f"blob:{self.server.url}", "data:"))

    def _play(self) -> None:
        while not self.over.wait(0.3):
            self.show.step()

    def data(self, name: str) -> str:
        return self.page.locator("body").get_attribute(f"data-{name}")

    def close(self) -> None:
        self.over.set()
        if self.player.is_alive():
            self.player.join(5)
        self.page.close()
        self.server.stop()


@pytest.fixture
def staged(browser):
    open_stages: list[Stage] = []

    def make(play_s: float, **more) -> Stage:
        open_stages.append(Stage(browser, play_s=play_s, **more))
        open_stages[-1].page.goto(open_stages[-1].server.url)
        return open_stages[-1]

    yield make
    for stage in open_stages:
        stage.close()


def test_tracks_and_a_warning_appear_without_any_error(staged):
    stage = staged(70.0)
    stage.page.wait_for_selector("body[data-ready=yes]:not([data-tracks='0']):not([data-alerts='0'])", timeout=WAIT_MS)
    stage.page.wait_for_selector("#alerts .tag.pre_alert", timeout=WAIT_MS)
    stage.page.wait_for_timeout(1_500)
    assert stage.page.locator("#mode").inner_text() == "EXERCISE"
    assert int(stage.data("judged")) == 5 and stage.page.locator(".object").count() == 5
    assert stage.faults == []


def test_the_map_is_really_drawn(staged):
    stage = staged(100.0, moving=False)
    stage.page.wait_for_selector("body[data-ready=yes]", timeout=WAIT_MS)
    stage.page.wait_for_timeout(1_500)
    # A map that failed is one flat colour: a picture of it packs into next to nothing.
    assert len(stage.page.locator("#map-panel").screenshot()) > 25_000
    assert stage.faults == []


def test_an_officer_approves_with_a_name_and_not_without(staged):
    stage = staged(430.0, moving=False)
    page = stage.page
    page.wait_for_selector(".proposal .approve", timeout=WAIT_MS)
    page.click(".proposal .approve")
    assert "Write your name" in page.locator(".proposal .said").inner_text() and stage.taken == []
    page.fill(".proposal input >> nth=0", "A. Popescu")
    page.click(".proposal .approve")
    page.wait_for_selector("text=Taken.", timeout=WAIT_MS)
    kind, payload = stage.taken[0]
    assert kind == "command" and json.loads(payload)["by"] == "A. Popescu" and json.loads(payload)["action"] == "approve"
    assert stage.faults == []


def test_a_name_being_typed_survives_new_pictures(staged):
    stage = staged(424.0)
    stage.page.wait_for_selector(".proposal input", timeout=WAIT_MS)
    stage.page.locator(".proposal input >> nth=0").press_sequentially("A. Pop", delay=30)
    before = int(stage.data("pictures"))
    stage.page.wait_for_selector(f"body:not([data-pictures='{before}'])", timeout=WAIT_MS)
    stage.page.wait_for_selector("text=1 approved", timeout=WAIT_MS)
    assert stage.page.locator(".proposal input >> nth=0").input_value() == "A. Pop"


def test_clicking_an_object_selects_it_everywhere(staged):
    stage = staged(100.0, moving=False)
    stage.page.wait_for_selector(".object", timeout=WAIT_MS)
    stage.page.click(".object >> nth=1")
    assert stage.page.locator(".object >> nth=1").get_attribute("aria-pressed") == "true"
    stage.page.keyboard.press("Escape")
    assert stage.page.locator(".object[aria-pressed=true]").count() == 0


def test_an_empty_picture_is_not_an_all_clear_and_names_the_blind_sensor(staged):
    stage = staged(500.0, moving=False)
    stage.page.wait_for_selector("body[data-ready=yes]", timeout=WAIT_MS)
    newest = json.loads(stage.hub.latest().document)
    stage.hub.publish(newest | {"tracks": []})
    stage.page.wait_for_selector("#empty:not([hidden])", timeout=WAIT_MS)
    text = stage.page.locator("#empty").inner_text()
    assert "not an all clear" in text and "GF-2 silent" in text
    assert "CANNOT SEE" in stage.page.locator("#cover").inner_text()


def test_a_picture_that_stands_still_looks_old(staged):
    stage = staged(100.0, moving=False)
    stage.page.wait_for_selector("#age.late", timeout=WAIT_MS)
    stage.page.wait_for_selector("#age.stale", timeout=WAIT_MS)
    assert "STANDS STILL" in stage.page.locator("#lost").inner_text()


def test_the_page_comes_back_by_itself_after_a_break(staged):
    stage = staged(100.0, moving=False)
    stage.page.wait_for_selector("body[data-ready=yes]", timeout=WAIT_MS)
    port = stage.server.port
    stage.server.stop()
    stage.page.wait_for_selector("#lost:not([hidden])", timeout=WAIT_MS)
    assert "NO CONNECTION" in stage.page.locator("#lost").inner_text()
    stage.server = start(create_app(stage.hub), port=port)
    stage.show.step()
    stage.page.wait_for_selector("#lost[hidden]", state="attached", timeout=WAIT_MS)


def test_a_page_opened_before_the_run_has_begun_waits_and_then_shows_it(browser):
    hub = Hub()
    server = start(create_app(hub), port=0)
    page, faults = browser.new_page(), []
    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: faults.append(str(e)))
    page.goto(server.url)
    page.wait_for_selector("text=Lapwing is starting", timeout=WAIT_MS)
    Show(hub, made_up_pack()).step()
    page.wait_for_selector("body[data-ready=yes]:not([data-tracks='0'])", timeout=WAIT_MS)
    page.close()
    server.stop()
    assert faults == []
