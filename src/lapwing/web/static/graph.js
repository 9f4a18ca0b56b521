// The border graph: signed distance against time for each judged object, with its 95 % band and the zero line.

import { byId, fresh, say } from "./dom.js";
import { giveColours, INK, lineColour } from "./colours.js";
import { judged, store } from "./store.js";
import { clockWord } from "./words.js";

/** @typedef {import("./types.js").Point} Point */

const SPAN_MS = 30 * 60_000, SHORTEST_MS = 6 * 60_000, AHEAD = 0.04, LINES_MAX = 12, NAME_PX = 13;
const LEFT = 62, RIGHT = 58, TOP = 8, BOTTOM = 20;
const FONT = '12px "Liberation Sans", "Segoe UI", Arial, sans-serif';

/** Draw the graph of the newest picture. */
export function drawGraph() {
  const { context: c, width, height } = fresh(/** @type {HTMLCanvasElement} */ (byId("graph")));
  const picture = store.picture;
  if (!picture) return;
  const now = Date.parse(picture.time);
  const ids = new Set(judged(picture).slice(0, LINES_MAX).map((t) => t.id));
  if (store.selected) ids.add(store.selected);
  giveColours(ids);
  /** @type {[string, Point[]][]} */
  const lines = [...ids].map((id) => [id, (store.past.get(id) ?? []).filter((p) => p[3] !== null)]);
  const numbers = new Map(picture.tracks.map((t) => [t.id, t.number]));
  const first = Math.min(now - SHORTEST_MS, ...lines.map(([, points]) => points[0]?.[0] ?? now));
  const start = Math.max(now - SPAN_MS, first), end = now + (now - start) * AHEAD;
  const range = scaleOf(lines);
  const x = (/** @type {number} */ time) => LEFT + ((time - start) / (end - start)) * (width - LEFT - RIGHT);
  const y = (/** @type {number} */ metres) => TOP + ((range.top - metres) / (range.top - range.bottom)) * (height - TOP - BOTTOM);
  say(byId("graph-note"), lines.some(([, p]) => p.length) ? "kilometres outside (+) and inside (−); band: 95 %"
    : "no judged object: nothing to draw, which is not an all clear");
  drawAxes(c, { x, y, width, height, start, end, range });
  c.save();
  c.beginPath();
  c.rect(LEFT, TOP, width - LEFT - RIGHT, height - TOP - BOTTOM);
  c.clip();
  for (const [id, points] of lines) if (id !== store.selected) drawLine(c, points, lineColour(id), x, y, !store.selected);
  for (const [id, points] of lines) if (id === store.selected) drawLine(c, points, lineColour(id), x, y, true);
  c.restore();
  writeNames(c, lines, numbers, x, y, height);
}

/** The range shown: always the zero line and something inside, and the near objects in full. @param {[string, Point[]][]} lines */
function scaleOf(lines) {
  let far = 6000, deep = -1200;
  for (const [id, points] of lines) {
    if (id === store.selected) far = Math.max(far, ...points.map((p) => p[3] ?? 0));
    const nearest = Math.min(...points.map((p) => p[3] ?? Infinity));
    if (nearest < 25_000) for (const p of points) far = Math.max(far, Math.min(p[3] ?? 0, 25_000));
    deep = Math.min(deep, Number.isFinite(nearest) ? nearest * 1.25 : 0);
  }
  if (far <= 6000 && lines.some(([, points]) => points.length)
    && lines.every(([, points]) => points.every((p) => (p[3] ?? 0) > 25_000))) {
    far = Math.max(...lines.flatMap(([, points]) => points.map((p) => p[3] ?? 0)));
  }
  return { top: far * 1.06, bottom: Math.min(deep, -0.1 * far) };
}

/** @param {CanvasRenderingContext2D} c @param {{x: (t: number) => number, y: (m: number) => number, width: number, height: number, start: number, end: number, range: {top: number, bottom: number}}} g */
function drawAxes(c, { x, y, width, height, start, end, range }) {
  c.font = FONT;
  c.fillStyle = "#ff5a5f1c";
  c.fillRect(LEFT, y(0), width - LEFT - RIGHT, height - BOTTOM - y(0));
  const step = [500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000].find((s) => (range.top - range.bottom) / s <= 7) ?? 200_000;
  c.textAlign = "right";
  c.textBaseline = "middle";
  for (let metres = Math.ceil(range.bottom / step) * step; metres <= range.top; metres += step) {
    if (metres === 0) continue;
    c.strokeStyle = INK.edge;
    c.lineWidth = 1;
    line(c, LEFT, y(metres), width - RIGHT, y(metres));
    c.fillStyle = INK.dim;
    c.fillText(`${metres > 0 ? "+" : "−"}${Math.abs(metres) / 1000}`, LEFT - 8, y(metres));
  }
  const minutes = [1, 2, 5, 10].find((m) => (end - start) / (m * 60_000) <= 9) ?? 10;
  c.textAlign = "center";
  c.textBaseline = "alphabetic";
  for (let time = Math.ceil(start / (minutes * 60_000)) * minutes * 60_000; time <= end; time += minutes * 60_000) {
    c.strokeStyle = INK.edge;
    line(c, x(time), TOP, x(time), height - BOTTOM);
    c.fillStyle = INK.dim;
    c.fillText(clockWord(time).slice(0, 5), x(time), height - 5);
  }
  c.strokeStyle = "#f4f7fb";
  c.lineWidth = 2;
  line(c, LEFT, y(0), width - RIGHT, y(0));
  c.textAlign = "right";
  c.textBaseline = "middle";
  c.fillStyle = INK.text;
  c.fillText("border", LEFT - 8, y(0));
  c.textAlign = "left";
  c.textBaseline = "top";
  c.fillStyle = "#ff9c9f";
  if (height - BOTTOM - y(0) > 16) c.fillText(`INSIDE${store.site?.country ? ` ${store.site.country.name}` : ""}`, LEFT + 8, y(0) + 4);
}

/** @param {CanvasRenderingContext2D} c @param {Point[]} points @param {string} colour @param {(t: number) => number} x @param {(m: number) => number} y @param {boolean} strong */
function drawLine(c, points, colour, x, y, strong) {
  if (!points.length) return;
  c.fillStyle = c.strokeStyle = colour;
  c.globalAlpha = strong ? 0.2 : 0.05;
  c.beginPath();
  for (const p of points) c.lineTo(x(p[0]), y((p[3] ?? 0) + 1.96 * (p[4] ?? 0)));
  for (const p of [...points].reverse()) c.lineTo(x(p[0]), y((p[3] ?? 0) - 1.96 * (p[4] ?? 0)));
  c.fill();
  c.globalAlpha = strong ? 1 : 0.35;
  c.lineWidth = 2;
  c.lineJoin = "round";
  c.beginPath();
  for (const p of points) c.lineTo(x(p[0]), y(p[3] ?? 0));
  c.stroke();
  c.globalAlpha = 1;
}

/** Write each line's number at its end, pushed apart where they meet. @param {CanvasRenderingContext2D} c @param {[string, Point[]][]} lines @param {Map<string, string>} numbers @param {(t: number) => number} x @param {(m: number) => number} y @param {number} height */
function writeNames(c, lines, numbers, x, y, height) {
  const ends = lines.flatMap(([id, points]) => {
    const last = points.at(-1);
    return last ? [{ id, x: x(last[0]), y: Math.min(Math.max(y(last[3] ?? 0), TOP + 6), height - BOTTOM - 4) }] : [];
  }).sort((a, b) => a.y - b.y);
  for (let round = 0; round < 30; round++) {     // push neighbours apart, each by half, until they can be read
    for (let i = 1; i < ends.length; i++) {
      const short = (NAME_PX - (ends[i].y - ends[i - 1].y)) / 2;
      if (short > 0) { ends[i].y += short; ends[i - 1].y -= short; }
    }
  }
  c.textAlign = "left";
  c.textBaseline = "middle";
  for (const end of ends) {
    c.font = `${end.id === store.selected ? "700 " : ""}${FONT}`;
    c.fillStyle = lineColour(end.id);
    c.fillText(numbers.get(end.id) ?? "", end.x + 7, end.y);
  }
}

/** @param {CanvasRenderingContext2D} c @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 */
function line(c, x1, y1, x2, y2) {
  c.beginPath();
  c.moveTo(x1, Math.round(y1) + 0.5);
  c.lineTo(x2, Math.round(y2) + 0.5);
  c.stroke();
}
