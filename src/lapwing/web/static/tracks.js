// The moving part of the map, on a canvas above it: sensors, tracks with their past, velocity line and data block.

import { byId, fresh } from "./dom.js";
import { hue, INK, strength } from "./colours.js";
import { place } from "./labels.js";
import { store } from "./store.js";
import { drawSensor, drawSymbol } from "./symbols.js";
import { borderShort, classWord, percent, reasonWord, spanWord } from "./words.js";

/** @typedef {import("./types.js").Track} Track */
/** @typedef {{x: number, y: number}} Spot */

const VELOCITY_S = 60, TRAIL_MS = 5 * 60_000, TRAIL_STEP_MS = 10_000, TRAIL_PX = 5, HIT_PX = 20;
// Objects further than this, and not coming, have a short data block: the near ones need the room.
const NEAR_M = 10_000, SOON_S = 1200;
const METRES_PER_DEGREE = 111_195;
const FONT = '"Liberation Sans", "Segoe UI", Arial, sans-serif';
/** Where each symbol was last drawn, for clicks. @type {Map<string, Spot>} */
const drawn = new Map();

/** Draw everything that moves. @param {any} map */
export function drawTracks(map) {
  const { context: c, width, height } = fresh(/** @type {HTMLCanvasElement} */ (byId("overlay")));
  const picture = store.picture;
  drawn.clear();
  drawSites(c, map);
  if (!picture) return;
  const spot = (/** @type {number} */ lat, /** @type {number} */ lon) => /** @type {Spot} */ (map.project([lon, lat]));
  const onScreen = picture.tracks.map((track) => ({ track, at: spot(track.lat, track.lon) }))
    .filter(({ at }) => at.x > -60 && at.y > -60 && at.x < width + 60 && at.y < height + 60);
  // The dim first, so that judged objects lie on top.
  onScreen.sort((a, b) => strength(a.track) - strength(b.track) || Number(a.track.id === store.selected) - Number(b.track.id === store.selected));
  const now = Date.parse(picture.time);
  for (const { track, at } of onScreen) {
    c.globalAlpha = strength(track);
    drawTrail(c, track, now, spot);
    drawEllipse(c, track, at, map);
    drawVelocity(c, track, at, spot);
    if (track.id === store.selected && track.nearest_lat !== null && track.nearest_lon !== null) {
      drawToBorder(c, at, spot(track.nearest_lat, track.nearest_lon));
    }
  }
  for (const sighting of picture.sightings) {
    if (sighting.lat !== null && sighting.lon !== null) drawSighting(c, spot(sighting.lat, sighting.lon), sighting.kind);
  }
  const taken = [...siteBoxes(map), ...onScreen.map(({ at }) => ({ x: at.x - 11, y: at.y - 11, width: 22, height: 22, weight: 5 }))];
  for (const { track, at } of onScreen) {
    c.globalAlpha = strength(track);
    drawSymbol(c, track.confirmed ? track.class : "tentative", at.x, at.y, hue(track), track.track_deg ?? 0);
    drawn.set(track.id, at);
    if (track.id === store.selected) ring(c, at);
  }
  const screen = { width, height };
  for (const { track, at } of [...onScreen].reverse()) if (track.confirmed) drawBlock(c, track, at, taken, screen);
  c.globalAlpha = 1;
}

/** The track under a point of the map, or "". @param {Spot} point */
export function trackAt(point) {
  let best = "", least = HIT_PX;
  for (const [id, at] of drawn) {
    const distance = Math.hypot(at.x - point.x, at.y - point.y);
    if (distance < least) { least = distance; best = id; }
  }
  return best;
}

/** @param {CanvasRenderingContext2D} c @param {any} map */
function drawSites(c, map) {
  const states = new Map(store.picture?.sensors.map((s) => [s.id, s.state]) ?? []);
  c.globalAlpha = 1;
  c.font = `12px ${FONT}`;
  c.textAlign = "center";
  for (const sensor of store.site?.sensors ?? []) {
    if (sensor.lat === null || sensor.lon === null) continue;
    const at = map.project([sensor.lon, sensor.lat]), state = states.get(sensor.id) ?? "";
    drawSensor(c, at.x, at.y, sensor.kind, state || "reports");
    if (map.getZoom() < 7.2 && state !== "silent") continue;
    write(c, state === "silent" ? `${sensor.id} SILENT` : sensor.id, at.x, at.y + 22, state === "silent" ? INK.caution : INK.faint);
  }
}

/** Where sensors and their names stand, so that no data block covers them. @param {any} map */
function siteBoxes(map) {
  return (store.site?.sensors ?? []).flatMap((sensor) => {
    if (sensor.lat === null || sensor.lon === null) return [];
    const at = map.project([sensor.lon, sensor.lat]);
    return [{ x: at.x - 26, y: at.y - 10, width: 52, height: 36 }];
  });
}

/** @param {CanvasRenderingContext2D} c @param {Track} track @param {number} now @param {(lat: number, lon: number) => Spot} spot */
function drawTrail(c, track, now, spot) {
  const alpha = c.globalAlpha;
  c.fillStyle = hue(track);
  let last = Infinity, near = spot(track.lat, track.lon);
  for (const [time, lat, lon] of [...(store.past.get(track.id) ?? [])].reverse()) {
    const age = now - time;
    if (age > TRAIL_MS) break;
    if (age < 2000 || last - time < TRAIL_STEP_MS) continue;
    const at = spot(lat, lon);
    if (Math.hypot(at.x - near.x, at.y - near.y) < TRAIL_PX) continue;
    last = time;
    near = at;
    c.globalAlpha = alpha * 0.75 * (1 - age / TRAIL_MS);
    c.beginPath();
    c.arc(at.x, at.y, 1.7, 0, 7);
    c.fill();
  }
  c.globalAlpha = alpha;
}

/** The 95 % area: always for a coasting track, else for the selected one. @param {CanvasRenderingContext2D} c @param {Track} track @param {Spot} at @param {any} map */
function drawEllipse(c, track, at, map) {
  const [major, minor, azimuth] = track.ellipse;
  if (major === null || minor === null || azimuth === null || !track.confirmed) return;
  if (!track.coasting && track.id !== store.selected) return;
  const metre = Math.abs(map.project([track.lon, track.lat + 0.01]).y - at.y) / (0.01 * METRES_PER_DEGREE);
  c.beginPath();
  c.ellipse(at.x, at.y, Math.max(major * metre, 4), Math.max(minor * metre, 4), ((azimuth - 90) * Math.PI) / 180, 0, 7);
  c.strokeStyle = hue(track);
  c.lineWidth = 1.5;
  c.setLineDash(track.coasting ? [6, 5] : []);
  c.stroke();
  c.setLineDash([]);
  if (track.coasting) {
    const alpha = c.globalAlpha;
    c.globalAlpha = 0.08;
    c.fillStyle = hue(track);
    c.fill();
    c.globalAlpha = alpha;
  }
}

/** @param {CanvasRenderingContext2D} c @param {Track} track @param {Spot} at @param {(lat: number, lon: number) => Spot} spot */
function drawVelocity(c, track, at, spot) {
  if (track.vx === null || track.vy === null || !track.confirmed) return;
  const lat = track.lat + (track.vy * VELOCITY_S) / METRES_PER_DEGREE;
  const lon = track.lon + (track.vx * VELOCITY_S) / (METRES_PER_DEGREE * Math.cos((track.lat * Math.PI) / 180));
  const end = spot(lat, lon);
  c.beginPath();
  c.moveTo(at.x, at.y);
  c.lineTo(end.x, end.y);
  c.strokeStyle = hue(track);
  c.lineWidth = 1.6;
  c.setLineDash(track.coasting ? [4, 4] : []);
  c.stroke();
  c.setLineDash([]);
}

/** From the selected track to the nearest point of the border. @param {CanvasRenderingContext2D} c @param {Spot} at @param {Spot} nearest */
function drawToBorder(c, at, nearest) {
  c.strokeStyle = INK.accent;
  c.lineWidth = 1.5;
  c.setLineDash([2, 4]);
  c.beginPath();
  c.moveTo(at.x, at.y);
  c.lineTo(nearest.x, nearest.y);
  c.stroke();
  c.setLineDash([]);
  c.beginPath();
  c.arc(nearest.x, nearest.y, 4, 0, 7);
  c.stroke();
}

/** @param {CanvasRenderingContext2D} c @param {Track} track @param {Spot} at @param {import("./labels.js").Box[]} taken @param {{width: number, height: number}} screen */
function drawBlock(c, track, at, taken, screen) {
  const lines = blockLines(track), chosen = track.id === store.selected;
  const size = track.judged ? 14 : 12, step = size + 3;
  c.textAlign = "left";
  c.font = `600 ${size}px ${FONT}`;
  const width = Math.max(...lines.map(([text]) => c.measureText(text).width)) + 10, height = lines.length * step + 5;
  const box = place(track.id, at.x, at.y, width, height, taken, screen);
  c.globalAlpha = track.judged ? 0.82 : 0.5;
  c.fillStyle = INK.ground;
  c.beginPath();
  c.roundRect(box.x, box.y, width, height, 4);
  c.fill();
  if (chosen) { c.strokeStyle = INK.accent; c.lineWidth = 1.5; c.stroke(); }
  const nearX = Math.min(Math.max(at.x, box.x), box.x + width), nearY = Math.min(Math.max(at.y, box.y), box.y + height);
  const away = Math.hypot(nearX - at.x, nearY - at.y);
  if (away > 10) {
    c.strokeStyle = INK.faint;
    c.lineWidth = 1;
    c.beginPath();
    c.moveTo(at.x + ((nearX - at.x) * 10) / away, at.y + ((nearY - at.y) * 10) / away);
    c.lineTo(nearX, nearY);
    c.stroke();
  }
  c.globalAlpha = track.judged ? 1 : 0.75;
  lines.forEach(([text, colour], i) => { c.fillStyle = colour; c.fillText(text, box.x + 5, box.y + (i + 1) * step - 2); });
}

/** The lines of a data block with their colours. @param {Track} track @returns {[string, string][]} */
export function blockLines(track) {
  const height = track.altitude_m ?? track.height_m;
  const motion = `${height === null ? "height ?" : `${height} m`}  ${track.speed_mps === null ? "" : `${Math.round(track.speed_mps)} m/s`}`;
  if (!track.judged) {
    const name = track.callsign || track.number;
    return [[`${name} ${track.reason ? reasonWord(track.reason) : classWord(track.class)}`, INK.dim], [motion, INK.faint]];
  }
  const inside = (track.border_m ?? 1) < 0, soon = track.time_to_go_s !== null && track.time_to_go_s < SOON_S;
  if (!inside && !soon && !track.coasting && track.id !== store.selected && Math.abs(track.border_m ?? 0) > NEAR_M) {
    return [[`${track.number} ${classWord(track.class)}`, hue(track)], [borderShort(track.border_m, null), INK.text]];
  }
  /** @type {[string, string][]} */
  const lines = [
    [`${track.number} ${classWord(track.class)} ${percent(track.class_prob)}`, hue(track)],
    [motion, INK.text],
    [borderShort(track.border_m, track.border_m_sigma), inside ? INK.alarm : INK.text],
  ];
  if (inside) lines.push(["INSIDE", INK.alarm]);
  else if (soon) lines.push([`border in ${spanWord(track.time_to_go_s ?? 0)}`, INK.caution]);
  if (track.coasting) lines.push([`lost ${spanWord(track.age_s)}`, INK.caution]);
  return lines;
}

/** @param {CanvasRenderingContext2D} c @param {Spot} at */
function ring(c, at) {
  c.globalAlpha = 1;
  c.strokeStyle = INK.accent;
  c.lineWidth = 2;
  c.beginPath();
  c.arc(at.x, at.y, 16, 0, 7);
  c.stroke();
}

/** @param {CanvasRenderingContext2D} c @param {Spot} at @param {string} kind */
function drawSighting(c, at, kind) {
  c.globalAlpha = 1;
  c.strokeStyle = kind === "fire" || kind === "explosion" ? INK.alarm : INK.accent;
  c.lineWidth = 2;
  for (const turn of [0, 60, 120]) {
    const east = 7 * Math.cos((turn * Math.PI) / 180), south = 7 * Math.sin((turn * Math.PI) / 180);
    c.beginPath();
    c.moveTo(at.x - east, at.y - south);
    c.lineTo(at.x + east, at.y + south);
    c.stroke();
  }
  c.font = `12px ${FONT}`;
  c.textAlign = "center";
  write(c, kind, at.x, at.y + 22, INK.dim);
}

/** Text with a dark rim. @param {CanvasRenderingContext2D} c @param {string} text @param {number} x @param {number} y @param {string} colour */
function write(c, text, x, y, colour) {
  c.lineWidth = 3;
  c.strokeStyle = INK.ground;
  c.strokeText(text, x, y);
  c.fillStyle = colour;
  c.fillText(text, x, y);
}
