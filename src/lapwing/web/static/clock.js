// Clocks, picture age and the state of the connection. An old picture must look old.

import { byId, say } from "./dom.js";
import { store } from "./store.js";
import { clockWord } from "./words.js";

const LATE_S = 3, STALE_S = 10;

/** Show the time now; called a few times a second. */
export function tick() {
  const picture = store.picture, zone = store.site?.time_zone ?? "UTC";
  // A live picture is shown beside the real clock; anything else beside its own time, which is the one that matters.
  const live = picture?.mode === "LIVE", time = live ? Date.now() : picture ? Date.parse(picture.time) : NaN;
  say(byId("utc").children[0], clockWord(time));
  say(byId("utc").children[1], live || !picture ? "UTC" : `UTC, ${picture.mode.toLowerCase()} time`);
  say(byId("local").children[0], clockWord(time, zone));
  say(byId("local").children[1], zone.split("/").at(-1)?.replace("_", " ") ?? zone);
  showAge(live);
}

/** @param {boolean} live */
function showAge(live) {
  const picture = store.picture, box = byId("age");
  const age_s = (performance.now() - store.cameMs) / 1000 + (live ? Math.max(0, picture?.lag_s ?? 0) : 0);
  const ended = Boolean(picture?.ended) && store.connected;
  box.className = ended ? "ended" : age_s > STALE_S ? "stale" : age_s > LATE_S ? "late" : "";
  say(box.children[0], ended ? "ENDED" : !Number.isFinite(age_s) ? "none" : age_s < 60 ? `${age_s.toFixed(1)} s` : `${Math.floor(age_s / 60)} min`);
  say(box.children[1], age_s > LATE_S && !ended ? "picture is OLD" : "picture age");
  const lost = byId("lost");
  const words = !store.connected ? "NO CONNECTION to Lapwing: this picture is old. Connecting again …"
    : age_s > STALE_S && !ended && picture ? "THE PICTURE STANDS STILL: nothing new from Lapwing. Do not rely on it." : "";
  say(lost, words);
  lost.hidden = words === "";
}
