// The list of judged objects, the line that counts the others, and the events.

import { byId, make, say } from "./dom.js";
import { hue } from "./colours.js";
import { judged, select, store } from "./store.js";
import { drawSymbol } from "./symbols.js";
import { classWord, clockWord, lengthWord, percent, reasonWord, shortIds, sideWord, spanWord } from "./words.js";

/** @typedef {import("./types.js").Picture} Picture */
/** @typedef {import("./types.js").Track} Track */
/** @typedef {import("./types.js").Neighbour} Neighbour */

const NEIGHBOUR_M = 10_000;      // nearer to a neighbour's line than this is told

let eventsShown = "";

/** Show the objects and events of a picture. @param {Picture} picture */
export function showObjects(picture) {
  const list = judged(picture), section = byId("objects");
  const body = /** @type {HTMLElement} */ (section.querySelector(".body"));
  say(/** @type {Element} */ (section.querySelector("small")), list.length ? `${list.length} judged, the most pressing first` : "");
  const rows = new Map([...body.querySelectorAll(".object")].map((row) => [row.getAttribute("data-track"), /** @type {HTMLElement} */ (row)]));
  const wanted = list.map((track) => fill(rows.get(track.id) ?? row(track.id), track));
  const rest = othersLine(picture);
  if (!list.length) wanted.push(make("p", { class: "nothing", text: `No judged object is seen. That alone is not an all clear: ${picture.coverage.text}.` }));
  if (rest) wanted.push(make("div", { class: "others", text: rest }));
  if (wanted.length !== body.children.length || wanted.some((node, i) => node !== body.children[i])) {
    const kept = body.scrollTop;
    body.replaceChildren(...wanted);
    body.scrollTop = kept;
  }
  showEvents(picture);
}

/** @param {string} id */
function row(id) {
  const symbol = /** @type {HTMLCanvasElement} */ (make("canvas", { width: 60, height: 60 }));
  symbol.style.width = symbol.style.height = "30px";
  return make("button", { class: "object", type: "button", "data-track": id, onclick: () => select(id) }, symbol,
    make("span", { class: "what" }, make("b"), make("span")), make("span", { class: "far" }),
    make("span", { class: "detail" }), make("span", { class: "go" }));
}

/** @param {HTMLElement} node @param {Track} track */
function fill(node, track) {
  const [symbol, what, far, detail, go] = node.children;
  node.className = `object${track.coasting ? " coasting" : ""}`;
  node.setAttribute("aria-pressed", String(track.id === store.selected));
  const c = /** @type {CanvasRenderingContext2D} */ (/** @type {HTMLCanvasElement} */ (symbol).getContext("2d"));
  c.setTransform(2, 0, 0, 2, 30, 30);
  c.clearRect(-15, -15, 30, 30);
  drawSymbol(c, track.class, 0, 0, hue(track), track.track_deg ?? 0);
  say(what.children[0], track.number);
  say(what.children[1], ` ${classWord(track.class)} ${percent(track.class_prob)}`);
  const inside = (track.border_m ?? 1) < 0;
  far.className = `far${inside ? " inside" : ""}`;
  say(far, track.border_m === null ? "cannot judge" : `${lengthWord(track.border_m)} ${sideWord(track.border_m)}`);
  const height = track.altitude_m ?? track.height_m;
  const motion = `${height === null ? "height ?" : `${height} m`} · ${track.speed_mps === null ? "?" : Math.round(track.speed_mps)} m/s`;
  const whose = track.region ? ` · ${track.region} answers for it` : "";
  const abroad = track.neighbours.filter(isNews).map((n) => ` · ${neighbourWord(n)}`).join("");
  say(detail, (track.coasting ? `lost from sight ${spanWord(track.age_s)} ago` : motion) + whose + abroad);
  /** @type {HTMLElement} */ (detail).title = `seen by ${track.sensors.join(", ") || "no sensor"}, last plot ${spanWord(track.age_s)} ago`;
  const soon = track.time_to_go_s !== null && track.time_to_go_s < 900 && !inside;
  go.className = `go${soon ? " soon" : ""}`;
  say(go, inside ? `inside ${percent(track.inside_prob)}`
    : `${soon ? `border in ${spanWord(track.time_to_go_s ?? 0)} · ` : ""}entry ${percent(track.entry_10_prob)}`);
  /** @type {HTMLElement} */ (go).title = "Probability that it is inside within 10 minutes";
  return node;
}

/**
 * Whether a neighbour is worth a word: it came near from outside. Most objects were over one from the first.
 * @param {Neighbour} near
 */
function isNews(near) {
  return !near.seen_inside && (near.verdict === "entered" || near.verdict === "undetermined" || (near.border_m ?? Infinity) < NEIGHBOUR_M);
}

/** @param {Neighbour} near */
function neighbourWord(near) {
  const told = near.verdict === "entered" ? "entered" : near.verdict === "undetermined" ? `may have entered (${percent(near.entered_prob)})` : "";
  return `${near.country} ${near.border_m === null ? "?" : `${lengthWord(near.border_m)} ${sideWord(near.border_m)}`}${told ? `, ${told}` : ""}`;
}

/** @param {Picture} picture */
function othersLine(picture) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  let tentative = 0;
  for (const track of picture.tracks) {
    if (!track.confirmed) tentative += 1;
    else if (!track.judged) counts.set(track.reason || "no border", (counts.get(track.reason || "no border") ?? 0) + 1);
  }
  const words = [...counts].sort().map(([reason, count]) => `${count} ${reasonWord(reason)}`);
  return [words.length ? `Not judged: ${words.join(", ")}` : "", tentative ? `${tentative} tentative` : ""].filter(Boolean).join(" · ");
}

/** @param {Picture} picture */
function showEvents(picture) {
  const key = JSON.stringify(picture.events);
  if (key === eventsShown) return;
  eventsShown = key;
  const body = /** @type {HTMLElement} */ (byId("events").querySelector(".body"));
  body.replaceChildren(...picture.events.map((event) => make("li", { class: event.severity },
    make("time", { text: clockWord(event.time) }), make("span", { text: shortIds(event.text), title: event.text }))));
}
