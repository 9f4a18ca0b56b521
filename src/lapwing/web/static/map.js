// The map under the moving picture: land and water, strips, zones by warning level, the border, places, coverage.

import { byId } from "./dom.js";
import { select, store } from "./store.js";
import { drawTracks, trackAt } from "./tracks.js";

/** @typedef {import("./types.js").Site} Site */
/** @typedef {import("./types.js").Picture} Picture */

const NEAR_M = 60_000;     // further objects do not move the map
const TIGHTER_ZOOM = 0.7, CLOSEST_ZOOM = 9.6, EDGE = 0.06;  // narrowed by steps that are worth the movement, and never too close
const FONT = ["Noto Sans Regular"];
const LAND = "#161d25", SEA = "#0a141d", WATER = "#0d1c2a";
/** The library is a classic script of the installed package; it has no types here. @type {any} */
const library = () => /** @type {any} */ (globalThis).maplibregl;
/** @type {any} */
let map = null;
/** @type {Set<string>} */
let tinted = new Set();
/** @type {Set<string>} */
let proposed = new Set();
let following = true;  // until the officer moves the map: then it is never moved by itself
let loaded = false;

/** Build the map of a site, or build it anew. @param {Site} site @returns {Promise<void>} resolved when it is drawn */
export function showSite(site) {
  const view = map && !following ? { center: map.getCenter(), zoom: map.getZoom() } : { bounds: site.view, fitBoundsOptions: { padding: 20 } };
  if (map) map.remove();
  loaded = false;
  tinted = new Set();
  proposed = new Set();
  map = new (library().Map)({
    container: byId("map"), style: styleOf(site), ...view, attributionControl: false, dragRotate: false, pitchWithRotate: false,
    touchPitch: false, maxPitch: 0, renderWorldCopies: false, fadeDuration: 0, minZoom: 4, maxZoom: 15,
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new (library().ScaleControl)({ maxWidth: 160 }), "bottom-left");
  for (const event of ["dragstart", "wheel", "dblclick", "boxzoomstart"]) map.on(event, () => { following = false; });
  map.on("render", redraw);
  map.on("click", (/** @type {any} */ event) => { const id = trackAt(event.point); if (id) select(id); });
  map.on("mousemove", (/** @type {any} */ event) => { map.getCanvas().style.cursor = trackAt(event.point) ? "pointer" : ""; });
  byId("credit").textContent = site.attribution;
  return new Promise((resolve) => map.once("load", () => { loaded = true; if (store.picture) tint(store.picture); resolve(); }));
}

/** Draw the moving part again. */
export function redraw() {
  if (map) drawTracks(map);
}

/** Tint the zones by their level. @param {Picture} picture */
export function tint(picture) {
  if (!map || !loaded) return;
  const levels = picture.zones;
  /** @type {Record<string, string>} */
  const offered = {};
  for (const proposal of picture.proposals) for (const zone of proposal.zones) offered[zone.code] = proposal.level;
  for (const code of proposed) if (!(code in offered)) map.setFeatureState({ source: "zones", id: code }, { proposed: "" });
  for (const [code, level] of Object.entries(offered)) map.setFeatureState({ source: "zones", id: code }, { proposed: level });
  proposed = new Set(Object.keys(offered));
  for (const code of tinted) if (!(code in levels)) map.setFeatureState({ source: "zones", id: code }, { level: "" });
  for (const [code, level] of Object.entries(levels)) map.setFeatureState({ source: "zones", id: code }, { level });
  tinted = new Set(Object.keys(levels));
}

/** Follow the judged objects and the border near them by itself, from now on. @param {Picture|null} picture */
export function followObjects(picture) {
  following = true;
  if (picture) follow(picture, true);
}

/** Show the whole watched area and stay there. */
export function fitSite() {
  following = false;
  if (map && store.site) map.fitBounds(store.site.view, { padding: 20, duration: 500 });
}

/** Whether the map follows the objects: until the officer moves it. */
export const isFollowing = () => following;

/**
 * Move the map, in few large steps, so that it shows every judged object near the border and the border nearest to each.
 * @param {Picture} picture @param {boolean} [now] also for a small gain
 */
export function follow(picture, now = false) {
  if (!map || !loaded || !following || !store.site || (map.isMoving() && !now)) return;
  const near = picture.tracks.filter((t) => t.confirmed && t.judged && t.border_m !== null && t.border_m < NEAR_M);
  const bounds = new (library().LngLatBounds)(), seen = map.getBounds();
  for (const track of near) {
    bounds.extend([track.lon, track.lat]);
    if (track.nearest_lat !== null && track.nearest_lon !== null) bounds.extend([track.nearest_lon, track.nearest_lat]);
  }
  const wanted = near.length ? map.cameraForBounds(bounds, { padding: { top: 110, bottom: 110, left: 150, right: 150 }, maxZoom: CLOSEST_ZOOM })
    : map.cameraForBounds(store.site.view, { padding: 20 });
  const east = (seen.getEast() - seen.getWest()) * EDGE, north = (seen.getNorth() - seen.getSouth()) * EDGE;
  const out = near.some((t) => t.lon < seen.getWest() + east || t.lon > seen.getEast() - east
    || t.lat < seen.getSouth() + north || t.lat > seen.getNorth() - north);
  if (wanted && (now || out || wanted.zoom > map.getZoom() + TIGHTER_ZOOM)) map.easeTo({ ...wanted, duration: 600 });
}

/** Move to a track. @param {string} id */
export function centreOn(id) {
  const track = store.picture?.tracks.find((t) => t.id === id);
  if (!map || !track || map.getBounds().contains([track.lon, track.lat])) return;
  map.easeTo({ center: [track.lon, track.lat], duration: 400 });
}

/** @param {any} geometry @param {object} [properties] */
const feature = (geometry, properties = {}) => ({ type: "Feature", geometry, properties });
/** @param {any[]} features */
const source = (features) => ({ type: "geojson", data: { type: "FeatureCollection", features }, tolerance: 0.2 });

/** @param {Site} site */
function styleOf(site) {
  const names = site.places.map(([name, lat, lon, people], rank) =>
    feature({ type: "Point", coordinates: [lon, lat] }, { name, people, rank }));
  const empty = { type: "FeatureCollection", features: [] };
  return {
    version: 8,
    glyphs: `${location.origin}/glyphs/{fontstack}/{range}.pbf`,
    sources: {
      sea: { type: "geojson", data: site.display.sea ?? empty },
      danube: { type: "geojson", data: site.display.danube ?? empty },
      water: { type: "geojson", data: site.display.water ?? empty },
      strips: source(site.strips.map((s) => feature(s.geometry, { km: s.km, side: s.side }))),
      neighbours: source(site.neighbours.map((n) => feature(n.geometry, { name: n.name }))),
      zones: { type: "geojson", data: site.zones, promoteId: "code" },
      border: source(site.border ? [feature(site.border.geometry)] : []),
      places: source(names),
      coverage: source(site.sensors.flatMap((s) => coverageRing(s))),
    },
    layers: layersOf(site),
  };
}

/** @param {Site} site */
function layersOf(site) {
  const level = ["coalesce", ["feature-state", "level"], ""];
  const byLevel = ["match", level, ...Object.entries(site.levels).flatMap(([key, value]) => [key, value.colour]), "#000000"];
  const wanted = ["coalesce", ["feature-state", "proposed"], ""];
  const byWanted = ["match", wanted, ...Object.entries(site.levels).flatMap(([key, value]) => [key, value.colour]), "#000000"];
  const raised = ["match", level, ["alert", "pre_alert", "watch", "all_clear"], 1, 0];
  const stripOpacity = ["match", ["get", "km"], 5, 0.15, 10, 0.085, 0.042];
  return [
    { id: "land", type: "background", paint: { "background-color": LAND } },
    { id: "sea", type: "fill", source: "sea", paint: { "fill-color": SEA } },
    { id: "danube", type: "fill", source: "danube", paint: { "fill-color": WATER } },
    { id: "lakes", type: "fill", source: "water", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": WATER } },
    { id: "rivers", type: "line", source: "water", filter: ["==", ["geometry-type"], "LineString"],
      paint: { "line-color": "#12293f", "line-width": 1.1 } },
    { id: "strip-fill", type: "fill", source: "strips", paint: { "fill-antialias": false, "fill-opacity": stripOpacity,
      "fill-color": ["match", ["get", "side"], "outside", "#ffb454", "#5aa9ff"] } },
    { id: "strip-edge", type: "line", source: "strips", paint: { "line-color": ["match", ["get", "side"], "outside", "#ffb454", "#5aa9ff"],
      "line-opacity": 0.16, "line-width": 1 } },
    { id: "coverage", type: "line", source: "coverage", paint: { "line-color": "#7f93a8", "line-opacity": 0.28, "line-dasharray": [3, 4] } },
    { id: "zone-tint", type: "fill", source: "zones", paint: { "fill-color": byLevel, "fill-opacity": ["*", raised, ["case", ["get", "large"], 0.18, 0.42]] } },
    { id: "cell-edge", type: "line", source: "zones", minzoom: 9, filter: ["!", ["get", "large"]],
      paint: { "line-color": "#3a4858", "line-opacity": 0.5, "line-width": 0.6 } },
    { id: "county-edge", type: "line", source: "zones", filter: ["get", "large"], paint: { "line-color": "#46566a", "line-width": 1, "line-dasharray": [4, 2] } },
    { id: "zone-edge", type: "line", source: "zones", paint: { "line-color": byLevel, "line-opacity": ["*", raised, 0.9], "line-width": 1.4 } },
    { id: "zone-proposed", type: "line", source: "zones", paint: { "line-color": byWanted, "line-width": 2.2, "line-dasharray": [2, 1.5],
      "line-opacity": ["match", wanted, "", 0, 0.95] } },
    { id: "neighbours", type: "line", source: "neighbours", paint: { "line-color": "#5f7186", "line-width": 1.2 } },
    { id: "border-rim", type: "line", source: "border", layout: { "line-join": "round" }, paint: { "line-color": "#06090d", "line-width": 5, "line-opacity": 0.7 } },
    { id: "border", type: "line", source: "border", layout: { "line-join": "round" }, paint: { "line-color": "#f4f7fb", "line-width": 2.2 } },
    { id: "places", type: "symbol", source: "places",
      filter: [">=", ["get", "people"], ["step", ["zoom"], 60000, 7, 20000, 8, 5000, 9, 1200, 10, 300, 11, 0]],
      layout: { "text-field": ["get", "name"], "text-font": FONT, "text-size": ["interpolate", ["linear"], ["get", "people"], 0, 12, 50000, 14, 300000, 17],
        "symbol-sort-key": ["get", "rank"], "text-padding": 6, "text-offset": [0, -1.1] },
      paint: { "text-color": "#a9b8c8", "text-halo-color": "#0a0e13", "text-halo-width": 1.3 } },
  ];
}

/** A ring of how far a sensor clears the horizon to a low object. @param {import("./types.js").Site_Sensor} sensor */
function coverageRing(sensor) {
  if (sensor.lat === null || sensor.lon === null || !sensor.low_reach_m) return [];
  const { lat, lon, low_reach_m: reach } = sensor, ring = [];
  for (let i = 0; i <= 72; i++) {
    const turn = (i * Math.PI) / 36, north = (reach * Math.cos(turn)) / 111_195;
    const east = (reach * Math.sin(turn)) / (111_195 * Math.cos(((lat + north / 2) * Math.PI) / 180));
    ring.push([lon + east, lat + north]);
  }
  return [feature({ type: "LineString", coordinates: ring }, { id: sensor.id })];
}
