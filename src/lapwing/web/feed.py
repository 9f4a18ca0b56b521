"""Turns the outcomes of the running loop into pictures for the hub: an observer of the loop, nothing more.

Every outcome is folded into the board; a picture is made of it at most every `gap_s` of the machine's clock, and less often
where making it takes long, so that a loop at full speed does not spend its time on pictures nobody can see. `flush` makes the last one.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic, thread_time, time_ns
from typing import Any

from lapwing.country.pack import Pack
from lapwing.geo.border import Territory
from lapwing.model.sensors import SensorTable
from lapwing.pipeline import Outcome
from lapwing.web.board import Board, fold
from lapwing.web.hub import Hub
from lapwing.web.picture import live_picture
from lapwing.web.site import Box, first_view, site_picture, with_sensors

GAP_S = 0.4   # two and a half pictures a second: the radars turn in 4-10 s, and the page has time to draw
# Pictures of thousands of tracks come less often: the loop shares one interpreter with them, and warnings go first. What asks for a
# person is shown at once.
PAUSE, PAUSE_S_MAX = 9.0, 6.0


class Feed:
    """Feeds a hub from outcomes.

    Parameters
    ----------
    hub : to publish to
    pack, neighbours : as in the pipeline's setup
    mode : LIVE, REPLAY or EXERCISE
    title : what is played, shown at the top; may be empty
    view_deg, display_files : see `site_picture`
    gap_s : shortest time between two pictures, seconds of the machine's clock
    """

    def __init__(self, hub: Hub, pack: Pack | None, neighbours: Mapping[str, Territory], *, mode: str, title: str = "",
                 exercise: bool = False, view_deg: Box | None = None, display_files: Mapping[str, bytes] | None = None,
                 gap_s: float = GAP_S) -> None:
        self._hub, self._pack, self._neighbours = hub, pack, neighbours
        self._mode, self._title, self._exercise = mode, title, exercise
        self._view, self._display_files, self._gap_s = view_deg, display_files, gap_s
        self._board = Board()
        self._sensors: SensorTable | None = None
        self._outcome: Outcome | None = None
        self._published_s, self._took_s = float("-inf"), 0.0
        self._site: dict[str, Any] | None = None
        self._site_view: Box | None = None

    def show_site(self, sensors: SensorTable) -> None:
        """Publish the place. Called at the start; `take` does it again when the table of sensors changes."""
        self._sensors = sensors
        view = self._view or first_view(self._pack, sensors)
        if self._site is None or view != self._site_view:
            self._site_view = view
            self._site = site_picture(self._pack, self._neighbours, sensors, self._mode, title=self._title, view_deg=view,
                                      display_files=self._display_files)
        self._hub.set_site(with_sensors(self._site, sensors))

    def take(self, outcome: Outcome, outputs: Any = None) -> None:
        """Take one outcome (an observer of the runner: outputs are not needed)."""
        self._board = fold(self._board, outcome.now_ns, sensed=outcome.sensed, warned=outcome.warned,
                           responded=outcome.responded, shared=outcome.shared, events=outcome.events, owned=outcome.owned)
        self._outcome = outcome
        if outcome.sensed.sensors != self._sensors:
            self.show_site(outcome.sensed.sensors)
        warned = outcome.warned
        pause_s = 0.0 if warned is not None and (warned.proposals or warned.alerts) else min(PAUSE * self._took_s, PAUSE_S_MAX)
        if monotonic() - self._published_s >= max(self._gap_s, pause_s):
            self.flush()

    def flush(self, *, ended: bool = False) -> None:
        """Publish a picture of the newest outcome now; `ended` says that no more will come."""
        outcome = self._outcome
        if outcome is None:
            return
        self._published_s, begun_s = monotonic(), thread_time()
        self._hub.publish(live_picture(
            outcome.now_ns, outcome.update.tracks, outcome.judgement, self._board, outcome.sensed.sensors,
            mode=self._mode, exercise=self._exercise, wall_time_ns=time_ns(), ended=ended, note=self._title))
        self._took_s = thread_time() - begun_s
