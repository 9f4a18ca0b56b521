// The key: what the symbols, colours and lines of the map mean.

import { byId, make } from "./dom.js";
import { drawSensor, drawSymbol } from "./symbols.js";
import { classWord } from "./words.js";

/** Fill the key and wire its button. */
export function setUpKey() {
  const key = byId("key"), button = byId("key-button");
  const classes = ["drone", "decoy", "balloon", "bird", "helicopter", "light_aircraft", "airliner", "fast_jet"];
  key.append(
    make("h3", { text: "Objects" }), ...classes.map((name) => line((c) => drawSymbol(c, name, 0, 0, "#ffd866", 40), classWord(name))),
    line((c) => drawSymbol(c, "tentative", 0, 0, "#ffd866", 0), "tentative: seen too little"),
    make("h3", { text: "Colour" }), line((c) => drawSymbol(c, "drone", 0, 0, "#ffd866", 0), "unknown"),
    line((c) => drawSymbol(c, "drone", 0, 0, "#ff5a5f", 0), "inside, more likely than not"),
    line((c) => drawSymbol(c, "airliner", 0, 0, "#7fcf9a", 0), "neutral"), line((c) => drawSymbol(c, "fast_jet", 0, 0, "#6fc3ff", 0), "friend, assumed friend"),
    make("h3", { text: "Lines" }), line((c) => bar(c, "#f4f7fb", 2.2), "border"),
    line((c) => bar(c, "#ffb454", 12, 0.3), "5, 10, 20 km outside"), line((c) => bar(c, "#5aa9ff", 12, 0.3), "5, 10, 20 km inside"),
    line((c) => bar(c, "#ffd866", 1.6), "where it will be in 60 s; dots: last 5 min"),
    line((c) => { c.setLineDash([5, 4]); bar(c, "#ffd866", 1.6); }, "lost from sight, with its 95 % area"),
    line((c) => { c.setLineDash([3, 4]); bar(c, "#7f93a8", 1); }, "radar clears the horizon to 150 m"),
    line((c) => { c.setLineDash([4, 3]); bar(c, "#ff5a5f", 2.2); }, "zones of an open proposal"),
    line((c) => drawSensor(c, 0, 0, "radar", "reports"), "sensor"), line((c) => drawSensor(c, 0, 0, "radar", "silent"), "sensor that is silent"),
    make("h3", { text: "Numbers: ± is the 95 % half width; heights above the sea; entry: probability to be inside within 10 minutes." }));
  button.onclick = () => {
    key.hidden = !key.hidden;
    button.setAttribute("aria-expanded", String(!key.hidden));
  };
}

/** @param {(c: CanvasRenderingContext2D) => void} draw @param {string} text */
function line(draw, text) {
  const canvas = /** @type {HTMLCanvasElement} */ (make("canvas", { width: 68, height: 52 }));
  canvas.style.width = "34px";
  canvas.style.height = "26px";
  const c = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  c.setTransform(2, 0, 0, 2, 34, 26);
  draw(c);
  return make("div", {}, canvas, make("span", { text }));
}

/** @param {CanvasRenderingContext2D} c @param {string} colour @param {number} width @param {number} [alpha] */
function bar(c, colour, width, alpha = 1) {
  c.globalAlpha = alpha;
  c.strokeStyle = colour;
  c.lineWidth = width;
  c.beginPath();
  c.moveTo(-15, 0);
  c.lineTo(15, 0);
  c.stroke();
}
