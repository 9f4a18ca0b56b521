// Colours of objects. Affiliation sets the hue; judged objects are bright, the rest dim. Nobody is ever "hostile".

/** @typedef {import("./types.js").Track} Track */

export const INK = { text: "#eaf0f6", dim: "#9aa9ba", faint: "#64748a", ground: "#0a0e13", alarm: "#ff5a5f", caution: "#ffc53d",
  good: "#46c28e", accent: "#7fd6c2", edge: "#263241" };

/** @type {Record<string, string>} */
const HUES = { unknown: "#ffd866", neutral: "#7fcf9a", assumed_friend: "#6fc3ff", friend: "#6fc3ff" };

/** Colours of the lines of the border graph, one after the other. */
export const LINES = ["#ffd866", "#7fd6c2", "#ff9d76", "#b9a5ff", "#8fd16a", "#ff8fc0", "#6fc3ff", "#e6e6e6"];

/** @param {Track} track */
export function hue(track) {
  if (track.judged && (track.inside_prob ?? 0) > 0.5) return INK.alarm;
  return HUES[track.affiliation] ?? HUES.unknown;
}

/** How strongly an object is drawn. @param {Track} track */
export const strength = (track) => (!track.confirmed ? 0.45 : track.judged ? 1 : 0.6);

/** @type {Map<string, string>} */
const given = new Map();
/**
 * Give each line shown a colour that no other line shown has (while the colours last); a line keeps its colour for as
 * long as it is shown. @param {Iterable<string>} ids
 */
export function giveColours(ids) {
  const shown = new Set(ids);
  for (const id of given.keys()) if (!shown.has(id)) given.delete(id);
  for (const id of shown) {
    if (given.has(id)) continue;
    const used = new Set(given.values());
    given.set(id, LINES.find((colour) => !used.has(colour)) ?? LINES[given.size % LINES.length]);
  }
}

/** The colour of a line. @param {string} id */
export const lineColour = (id) => given.get(id) ?? LINES[0];
