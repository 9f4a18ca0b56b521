// Numbers as words: one place decides how a distance, a time to go or a class is written.

/** @param {string} name */
export const classWord = (name) => ({ drone: "drone", decoy: "decoy", balloon: "balloon", bird: "birds", helicopter: "helicopter",
  light_aircraft: "light aircraft", airliner: "airliner", fast_jet: "fast jet", weather: "weather", surface: "surface" }[name] ?? name);

/** @param {string} name */
export const affiliationWord = (name) => name.replace("_", " ");

/** Metres under 10 km, else kilometres. @param {number} metres */
export function lengthWord(metres) {
  const size = Math.abs(metres);
  if (size < 1000) return `${Math.round(size / 10) * 10} m`;
  return size < 10_000 ? `${(size / 1000).toFixed(2)} km` : `${(size / 1000).toFixed(1)} km`;
}

/** "+1.24 km ±0.31 km"; ± is the 95 % half width. @param {number|null} metres @param {number|null} sigma */
export function borderShort(metres, sigma) {
  if (metres === null) return "border ?";
  const sign = metres < 0 ? "−" : "+";
  return `${sign}${lengthWord(metres)}${sigma === null ? "" : ` ±${lengthWord(1.96 * sigma)}`}`;
}

/** @param {number|null} metres */
export const sideWord = (metres) => (metres === null ? "" : metres < 0 ? "INSIDE" : "outside");

/** Minutes and seconds. @param {number} seconds */
export function spanWord(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole >= 3600) return `${Math.floor(whole / 3600)} h ${String(Math.floor(whole / 60) % 60).padStart(2, "0")} min`;
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** @param {number|null} share */
export const percent = (share) => (share === null ? "?" : share > 0 && share < 0.01 ? "<1 %" : `${Math.round(share * 100)} %`);

/** 12,345 with a thin space. @param {number} value */
export const peopleWord = (value) => `${String(value).replace(/\B(?=(\d{3})+$)/g, "\u202f")} people`;

/** HH:MM:SS of an ISO time or of milliseconds. @param {string|number} time @param {string} [zone] */
export function clockWord(time, zone = "UTC") {
  const moment = new Date(time);
  return Number.isNaN(moment.getTime()) ? "--:--:--"
    : moment.toLocaleTimeString("en-GB", { timeZone: zone, hour12: false });
}

/** A sentence with track ids as the numbers that the map shows, and without the long ids of messages. @param {string} text */
export const shortIds = (text) => text.replace(/\b\d{8}-((?:[a-z0-9]{1,20}-)?\d{4,})\b/g, "$1").replace(/ [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "");

/** Why an object is not judged. @param {string} reason */
export const reasonWord = (reason) => ({ own_patrol: "own patrol", friend: "friend", neutral: "neutral", bird: "bird",
  weather: "weather", surface: "surface" }[reason] ?? reason);
