// Joins the parts: pictures come in, each part of the page shows its share.

import { showAlarms } from "./alarms.js";
import { tick } from "./clock.js";
import { byId, say } from "./dom.js";
import { drawGraph } from "./graph.js";
import { setUpKey } from "./key.js";
import { connect, load } from "./live.js";
import { centreOn, fitSite, follow, followObjects, isFollowing, redraw, showSite, tint } from "./map.js";
import { showObjects } from "./objects.js";
import { setUpSensors, showSensors } from "./sensors.js";
import { onSelect, select, setPast, setPicture, store } from "./store.js";

/** @typedef {import("./types.js").Picture} Picture */

let pictures = 0;
let ready = false;     // pictures wait for the place they are drawn on

/** The server's first word on every connection: load the place and the past anew. @param {any} message */
async function hello(message) {
  store.connected = true;
  store.takesEntries = Boolean(message.takes_entries);
  if (!message.site) {                 // the run is still starting; another hello follows
    say(byId("note"), "Lapwing is starting …");
    return;
  }
  const [site, past] = await Promise.all([load("/api/site"), load("/api/history")]);
  setPast(past);
  const changed = JSON.stringify(site) !== JSON.stringify(store.site);
  store.site = site;
  if (message.picture_age_s !== null && store.picture) store.cameMs = performance.now() - message.picture_age_s * 1000;
  say(byId("country"), site.country?.name ?? "no country");
  say(byId("note"), site.title);
  if (changed) await showSite(site);
  ready = true;
  document.body.dataset.ready = "yes";
  if (store.picture) show(store.picture);
}

/** @param {Picture} picture */
function take(picture) {
  setPicture(picture);
  pictures += 1;
  if (ready) show(picture);
}

/** Show a picture in every part of the page. @param {Picture} picture */
function show(picture) {
  const data = document.body.dataset;
  data.mode = picture.mode;
  say(byId("mode"), picture.exercise && picture.mode !== "EXERCISE" ? `${picture.mode} · EXERCISE` : picture.mode);
  if (picture.note) say(byId("note"), picture.note);
  const cover = byId("cover");
  say(cover, picture.coverage.text);
  cover.className = picture.coverage.missing.length || !picture.coverage.expected ? "blind" : "";
  const empty = byId("empty"), seen = picture.tracks.some((t) => t.confirmed);
  empty.hidden = seen;
  if (!seen) say(empty, `No tracks. That alone is not an all clear: ${picture.coverage.text}.`);
  tint(picture);
  follow(picture);
  byId("fit").setAttribute("aria-pressed", String(isFollowing()));
  redraw();
  showAlarms(picture);
  showObjects(picture);
  showSensors(picture);
  drawGraph();
  tick();
  // Read-only counters, for tests and for whoever watches the page by a program.
  data.tracks = String(picture.tracks.filter((t) => t.confirmed).length);
  data.judged = String(picture.tracks.filter((t) => t.confirmed && t.judged).length);
  data.alerts = String(picture.alert_count);
  data.proposals = String(picture.proposals.length);
  data.pictures = String(pictures);
  document.title = `${picture.proposals.length ? `(${picture.proposals.length}) ` : ""}Lapwing ${picture.mode}`;
}

setUpKey();
setUpSensors();
byId("fit").onclick = () => followObjects(store.picture);
byId("whole").onclick = fitSite;
onSelect(() => {
  if (store.selected) centreOn(store.selected);
  redraw();
  drawGraph();
  if (store.picture) showObjects(store.picture);
});
addEventListener("keydown", (event) => { if (event.key === "Escape" && store.selected) select(store.selected); });
addEventListener("resize", drawGraph);
setInterval(tick, 200);
connect({ hello, picture: take, lost: () => { store.connected = false; tick(); } });
