// What the page knows: the place, the newest picture, each track's past, and which track is selected.

/** @typedef {import("./types.js").Picture} Picture */
/** @typedef {import("./types.js").Site} Site */
/** @typedef {import("./types.js").Point} Point */
/** @typedef {import("./types.js").Track} Track */

const SPAN_MS = 30 * 60_000;   // of the border graph
const STEP_MS = 5_000;         // as the server keeps them

export const store = {
  /** @type {Site|null} */ site: null,
  /** @type {Picture|null} */ picture: null,
  /** @type {Map<string, Point[]>} */ past: new Map(),
  /** @type {string} */ selected: "",
  takesEntries: false,
  connected: false,
  /** When the newest picture came, by performance.now(). */ cameMs: -Infinity,
};

/** Replace each track's past by the server's. @param {{tracks: Record<string, Point[]>}} history */
export function setPast(history) {
  store.past = new Map(Object.entries(history.tracks));
}

/** Take a picture and append its tracks to their past. @param {Picture} picture */
export function setPicture(picture) {
  const now = Date.parse(picture.time);
  if (store.picture && now < Date.parse(store.picture.time)) store.past.clear();   // another run began
  store.picture = picture;
  store.cameMs = performance.now();
  for (const track of picture.tracks) {
    if (!track.confirmed) continue;
    const points = store.past.get(track.id) ?? [];
    const last = points.at(-1);
    if (!last || now - last[0] >= STEP_MS) points.push([now, track.lat, track.lon, track.border_m, track.border_m_sigma]);
    while (points.length && points[0][0] < now - SPAN_MS) points.shift();
    store.past.set(track.id, points);
  }
  for (const [id, points] of store.past) if (!points.length || (points.at(-1)?.[0] ?? 0) < now - SPAN_MS) store.past.delete(id);
}

/** @type {(() => void)[]} */
const listeners = [];
/** Call when the selection changes. @param {() => void} listener */
export const onSelect = (listener) => listeners.push(listener);
/** Select a track, or none with "". @param {string} id */
export function select(id) {
  store.selected = id === store.selected ? "" : id;
  for (const listener of listeners) listener();
}

/** Judged and confirmed tracks, the most pressing first. @param {Picture} picture @returns {Track[]} */
export function judged(picture) {
  const pressing = (/** @type {Track} */ t) => (t.inside_prob ?? 0) > 0.5 ? -1e9 : Math.min(t.time_to_go_s ?? 1800, 1800) + Math.max(t.border_m ?? 1e7, 0) / 20;
  return picture.tracks.filter((t) => t.confirmed && t.judged).sort((a, b) => pressing(a) - pressing(b));
}
