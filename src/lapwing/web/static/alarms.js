// Proposals with the officer's hand, and public warnings. Newest first; words beside every colour.

import { byId, make, say } from "./dom.js";
import { send } from "./live.js";
import { store } from "./store.js";
import { clockWord, peopleWord, shortIds, spanWord } from "./words.js";

/** @typedef {import("./types.js").Picture} Picture */
/** @typedef {import("./types.js").Proposal} Proposal */
/** @typedef {import("./types.js").Alert} Alert */

const NAME_KEY = "lapwing-officer", WARNINGS_SHOWN = 20, PAST_SHOWN = 3;
let proposalsShown = "", alertsShown = "";

const BEEP_EVERY_MS = 2500, BEEP_S = 0.25, BEEP_HZ = 880;
/** Proposals whose sound was acknowledged. @type {Set<string>} */
const heard = new Set();
/** @type {AudioContext|null} */
let audio = null;
let lastBeepMs = 0;

/** Show the warnings of a picture. @param {Picture} picture */
export function showAlarms(picture) {
  ring(picture);
  showProposals(picture);
  showAlerts(picture);
}

/** Sound until somebody says that they heard it. @param {Picture} picture */
function ring(picture) {
  const panel = byId("proposals");
  let button = /** @type {HTMLButtonElement|null} */ (document.getElementById("heard"));
  if (!button) {
    button = /** @type {HTMLButtonElement} */ (make("button", { id: "heard", type: "button", text: "Heard: stop the sound" }));
    panel.before(button);
  }
  const waiting = store.takesEntries ? picture.proposals.filter((p) => !heard.has(p.id)) : [];
  button.hidden = !waiting.length;
  button.onclick = () => {
    for (const proposal of waiting) heard.add(proposal.id);
    /** @type {HTMLButtonElement} */ (byId("heard")).hidden = true;
  };
  if (!waiting.length || performance.now() - lastBeepMs < BEEP_EVERY_MS) return;
  lastBeepMs = performance.now();
  // A browser plays nothing before the person has touched the page once; the button says it all the same.
  if (!navigator.userActivation?.hasBeenActive) return;
  audio ??= new AudioContext();
  const tone = audio.createOscillator(), volume = audio.createGain();
  tone.frequency.value = BEEP_HZ;
  volume.gain.value = 0.15;
  tone.connect(volume).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + BEEP_S);
}

/** @param {Picture} picture */
function showProposals(picture) {
  const panel = byId("proposals");
  const key = JSON.stringify([picture.proposals, store.takesEntries]);
  if (key !== proposalsShown) {      // typed names and focus survive the pictures in between
    proposalsShown = key;
    const held = keepInput(panel);
    panel.replaceChildren(...picture.proposals.map((p) => proposalCard(p, levelWord(p.level))));
    held(panel);
  }
  const now = Date.parse(picture.time);
  for (const [i, proposal] of picture.proposals.entries()) {
    const left = panel.children[i]?.querySelector(".left");
    if (left) say(left, `lapses in ${spanWord((Date.parse(proposal.expires) - now) / 1000)}`);
  }
}

/** Remember what is typed and where, and put it back. @param {HTMLElement} panel @returns {(panel: HTMLElement) => void} */
function keepInput(panel) {
  const inputs = [...panel.querySelectorAll("input")];
  const typed = new Map(inputs.map((input) => [input.id, input.value])), focused = document.activeElement?.id ?? "";
  return (after) => {
    for (const input of after.querySelectorAll("input")) {
      input.value = typed.get(input.id) || input.value;
      if (input.id === focused) input.focus();
    }
  };
}

/** @param {string} level */
const levelWord = (level) => store.site?.levels[level]?.word ?? level.toUpperCase();

/** @param {Proposal} proposal @param {string} word */
function proposalCard(proposal, word) {
  const title = proposal.level === "all_clear" ? "Proposed: ALL CLEAR" : proposal.msg_type === "Cancel" ? "Proposed: withdraw the warning"
    : `Proposed: ${proposal.msg_type === "Update" ? "change to " : ""}${word}`;
  const card = make("div", { class: `proposal fresh ${proposal.level}`, "data-proposal": proposal.id },
    make("div", { class: "title" }, make("span", { text: title }), make("span", { class: "left" })),
    make("p", { text: shortIds(proposal.reason) }),
    make("p", { class: "zones", text: `${peopleWord(proposal.people)} in ${zoneNames(proposal.zones, 8)}` }));
  if (proposal.envelope_zones) card.append(make("p", { class: "zones",
    text: `Approval also covers ${proposal.envelope_zones} more zones, ${peopleWord(proposal.envelope_people)}` }));
  if (proposal.role === "supervisor") card.append(make("p", { text: "Seen by one sensor only: a supervisor decides." }));
  if (proposal.texts?.length) card.append(make("details", {}, make("summary", { text: `The text, in ${proposal.texts.length} languages` }),
    ...proposal.texts.map((t) => make("p", { lang: t.language, text: `${t.headline} ${t.description}` }))));
  const given = proposal.approved_by.length, needed = proposal.approvals_needed;
  if (needed > 1) card.append(make("p", { text: `Needs ${needed} people: ${given} approved${given ? ` (${proposal.approved_by.join(", ")})` : ""}` }));
  if (given >= needed) card.append(make("p", { text: `Approved by ${proposal.approved_by.join(", ")}; it goes out when it is due.` }));
  else card.append(store.takesEntries ? hand(proposal) : make("p", { class: "zones", text: "This console only shows: decisions are taken elsewhere." }));
  return card;
}

/** The officer's name and the two buttons. @param {Proposal} proposal */
function hand(proposal) {
  const name = /** @type {HTMLInputElement} */ (make("input", { id: `by-${proposal.id}`, placeholder: "Your name", maxLength: 100,
    autocomplete: "off", value: localStorage.getItem(NAME_KEY) ?? "", "aria-label": "Your name" }));
  const why = /** @type {HTMLInputElement} */ (make("input", { id: `why-${proposal.id}`, placeholder: "Reason, if you refuse",
    maxLength: 1000, autocomplete: "off", "aria-label": "Reason, if you refuse" }));
  const said = make("div", { class: "said", role: "status" });
  const approve = /** @type {HTMLButtonElement} */ (make("button", { class: "approve", type: "button", text: "Approve" }));
  const refuse = /** @type {HTMLButtonElement} */ (make("button", { type: "button", text: "Refuse" }));
  const decide = async (/** @type {string} */ action) => {
    const by = name.value.trim();
    if (!by || (action === "refuse" && !why.value.trim())) {
      said.className = "said bad";
      said.textContent = by ? "Write why you refuse." : "Write your name: every decision carries one.";
      (by ? why : name).focus();
      return;
    }
    localStorage.setItem(NAME_KEY, by);
    approve.disabled = refuse.disabled = true;
    const problem = await send("/api/command", { action, alert_id: proposal.id, by, text: why.value.trim() });
    said.className = problem ? "said bad" : "said";
    said.textContent = problem || "Taken. Waiting for Lapwing to act on it …";
    if (problem) approve.disabled = refuse.disabled = false;
  };
  approve.onclick = () => decide("approve");
  refuse.onclick = () => decide("refuse");
  return make("div", { class: "hand" }, name, approve, refuse, why, said);
}

/** @param {Picture} picture */
function showAlerts(picture) {
  const key = JSON.stringify(picture.alerts);
  if (key === alertsShown) return;
  alertsShown = key;
  const body = /** @type {HTMLElement} */ (byId("alerts").querySelector(".body"));
  const standing = picture.alerts.filter((a) => a.in_force || a.level === "all_clear");
  const past = picture.alerts.filter((a) => !standing.includes(a)).slice(0, PAST_SHOWN);
  const cards = [...standing, ...past].slice(0, WARNINGS_SHOWN).map(alertCard);
  body.replaceChildren(...(cards.length ? cards : [make("p", { class: "nothing", text: "None sent." })]));
}

/** @param {Alert} alert */
function alertCard(alert) {
  const withdrawn = alert.msg_type === "Cancel" && alert.level !== "all_clear";
  const word = withdrawn ? "WITHDRAWN" : levelWord(alert.level);
  const until = alert.in_force ? `until ${clockWord(alert.expires).slice(0, 5)}` : alert.level === "all_clear" ? "" : "not in force";
  const text = alert.texts.find((t) => store.site?.languages[0] && t.language.startsWith(store.site.languages[0])) ?? alert.texts[0];
  const status = alert.status === "Actual" ? "" : ` · ${alert.status.toUpperCase()}`;
  const over = !alert.in_force && alert.level !== "all_clear";
  return make("div", { class: `sent${over ? " over" : ""}`, title: over ? `${text?.headline ?? ""} ${zoneNames(alert.zones, 8)}` : "" },
    make("span", { class: `tag ${over ? "off" : alert.level}`, text: `${word}${alert.msg_type === "Update" && alert.level !== "all_clear" ? " (changed)" : ""}` }),
    make("time", { text: `${clockWord(alert.sent)}${status}` }),
    make("span", { class: "more", text: until }),
    make("p", { class: "headline", title: text?.headline ?? "", text: text?.headline ?? "", hidden: !text?.headline || over }),
    make("p", { class: "more where", hidden: over, text: `${zoneNames(alert.zones, 4)} · ${peopleWord(alert.people)} · ${approvedWord(alert.approved_by)}` }));
}

/** @param {string[]} names */
const approvedWord = (names) => names.length === 1 && names[0] === "engine" ? "sent by itself, inside what was approved"
  : `approved by ${names.join(", ") || "nobody"}`;

/** @param {import("./types.js").ZoneRef[]} zones @param {number} most */
function zoneNames(zones, most) {
  const names = zones.slice(0, most).map((z) => z.name).join(", ");
  return zones.length > most ? `${names} and ${zones.length - most} more` : names || "no zone";
}
