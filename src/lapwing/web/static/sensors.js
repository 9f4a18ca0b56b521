// The list of sensors: who reports, how late, how far it saw of late beside what it should.

import { byId, make, say } from "./dom.js";
import { spanWord } from "./words.js";

/** @typedef {import("./types.js").Picture} Picture */
/** @typedef {import("./types.js").SensorState} SensorState */

/** Wire the list's button. */
export function setUpSensors() {
  const list = byId("sensors"), button = byId("sensors-button");
  button.onclick = () => {
    list.hidden = !list.hidden;
    button.setAttribute("aria-expanded", String(!list.hidden));
  };
}

/** Show the sensors of a picture. @param {Picture} picture */
export function showSensors(picture) {
  const bad = picture.sensors.filter((s) => !["reports", "on call"].includes(s.state)).length;
  say(byId("sensors-button"), bad ? `Sensors (${bad} not well)` : "Sensors");
  const list = byId("sensors");
  if (list.hidden) return;
  list.replaceChildren(...picture.sensors.map((sensor) => make("div", { class: `sensor ${sensor.state.replace(" ", "-")}` },
    make("b", { text: sensor.id }), make("span", { text: stateWord(sensor) }), make("small", { text: measured(sensor) }))));
  if (!picture.sensors.length) list.append(make("div", { text: "No sensor is known." }));
}

/** @param {SensorState} sensor */
function stateWord(sensor) {
  const age = sensor.age_s === null ? "" : ` ${spanWord(sensor.age_s)}`;
  return `${sensor.state}${["silent", "quiet"].includes(sensor.state) ? age : ""}${sensor.words ? `: ${sensor.words}` : ""}`;
}

/** @param {SensorState} sensor */
function measured(sensor) {
  const km = (/** @type {number} */ m) => `${Math.round(m / 1000)} km`;
  return [sensor.rotation_s === null ? "" : `turn ${sensor.rotation_s.toFixed(1)} s`, sensor.delay_s === null ? "" : `delay ${sensor.delay_s.toFixed(1)} s`,
    sensor.reach_m === null ? "" : `sees to ${km(sensor.reach_m)}${sensor.reach_m_expected === null ? "" : ` of ${km(sensor.reach_m_expected)}`}`,
    sensor.coverage_share === null ? "" : `${Math.round(sensor.coverage_share * 100)} % of its sectors`].filter(Boolean).join(" · ");
}
