// Symbols of objects and sensors, drawn on a canvas about (0, 0), north up. Shape says class, colour affiliation.

/** @typedef {CanvasRenderingContext2D} Context */

/** Draw a line through points. @param {Context} c @param {number[][]} points @param {boolean} [closed] */
function path(c, points, closed = true) {
  c.beginPath();
  points.forEach(([x, y], i) => (i ? c.lineTo(x, y) : c.moveTo(x, y)));
  if (closed) c.closePath();
}

/** @type {Record<string, (c: Context) => void>} */
const SHAPES = {
  drone(c) { path(c, [[0, -9], [8, 8], [0, 4], [-8, 8]]); c.fill(); },
  decoy(c) { path(c, [[0, -9], [8, 8], [0, 4], [-8, 8]]); c.stroke(); },
  balloon(c) { c.beginPath(); c.arc(0, -2, 6.5, 0, 7); c.stroke(); path(c, [[0, 4.5], [0, 10]], false); c.stroke(); },
  bird(c) { c.beginPath(); c.moveTo(-9, -3); c.quadraticCurveTo(-3, -5, 0, 2); c.quadraticCurveTo(3, -5, 9, -3); c.stroke(); },
  helicopter(c) { c.beginPath(); c.arc(0, 0, 3.5, 0, 7); c.fill(); path(c, [[-8, -8], [8, 8]], false); c.stroke(); path(c, [[8, -8], [-8, 8]], false); c.stroke(); },
  light_aircraft(c) { path(c, [[0, -9], [0, 9]], false); c.stroke(); path(c, [[-9, -2], [9, -2]], false); c.stroke(); path(c, [[-4, 8], [4, 8]], false); c.stroke(); },
  airliner(c) { path(c, [[0, -10], [1.8, -3], [10, 4], [1.8, 2], [1.5, 7], [4, 10], [-4, 10], [-1.5, 7], [-1.8, 2], [-10, 4], [-1.8, -3]]); c.fill(); },
  fast_jet(c) { path(c, [[0, -10], [3, 2], [7, 8], [0, 5], [-7, 8], [-3, 2]]); c.fill(); path(c, [[-4, 10], [4, 10]], false); c.stroke(); },
  weather(c) { c.setLineDash([2, 3]); c.beginPath(); c.arc(0, 0, 7, 0, 7); c.stroke(); c.setLineDash([]); },
  surface(c) { c.strokeRect(-5, -5, 10, 10); },
  tentative(c) { c.beginPath(); c.arc(0, 0, 3, 0, 7); c.stroke(); },
};
const TURNED = new Set(["drone", "decoy", "light_aircraft", "airliner", "fast_jet"]);

/**
 * Draw an object's symbol. @param {Context} c @param {string} kind class, or "tentative" @param {number} x @param {number} y
 * @param {string} colour @param {number} turn_deg where it goes, clockwise from north
 */
export function drawSymbol(c, kind, x, y, colour, turn_deg) {
  c.save();
  c.translate(x, y);
  if (TURNED.has(kind)) c.rotate((turn_deg * Math.PI) / 180);
  c.lineJoin = c.lineCap = "round";
  c.strokeStyle = "#06090d"; c.fillStyle = "#06090d"; c.lineWidth = 5;      // a dark rim keeps it readable on any tint
  const shape = SHAPES[kind] ?? SHAPES.surface;
  shape(c);
  c.stroke();
  c.strokeStyle = colour; c.fillStyle = colour; c.lineWidth = 2;
  shape(c);
  c.restore();
}

/** Draw a sensor's site: an aerial; crossed out when it is silent. @param {Context} c @param {number} x @param {number} y @param {string} kind @param {string} state */
export function drawSensor(c, x, y, kind, state) {
  const good = state === "reports" || state === "on call" || state === "quiet";
  c.save();
  c.translate(x, y);
  c.lineWidth = 1.8;
  c.lineCap = "round";
  c.strokeStyle = good ? "#8ea3b8" : "#ffc53d";
  if (kind === "radar" || kind === "surface" || kind === "tracker") {
    path(c, [[-5, 8], [0, -1], [5, 8]]); c.stroke();
    c.beginPath(); c.arc(0, -4, 7, Math.PI * 0.15, Math.PI * 0.85); c.stroke();
  } else if (kind === "observer") {
    c.beginPath(); c.arc(0, -3, 3, 0, 7); c.stroke(); path(c, [[-5, 7], [0, 1], [5, 7]], false); c.stroke();
  } else {
    c.beginPath(); c.arc(0, 0, 2.5, 0, 7); c.stroke();
    c.beginPath(); c.arc(0, 0, 6.5, -0.8, 0.8); c.stroke();
    c.beginPath(); c.arc(0, 0, 6.5, Math.PI - 0.8, Math.PI + 0.8); c.stroke();
  }
  if (!good) { path(c, [[-9, -9], [9, 9]], false); c.stroke(); }
  c.restore();
}
