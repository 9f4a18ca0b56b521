// The connection: the newest picture as it comes, and by itself again after a break.

/** @typedef {import("./types.js").Picture} Picture */

const FIRST_WAIT_MS = 500, LONGEST_WAIT_MS = 5000;

/**
 * Keep a connection open for ever.
 * @param {{hello: (message: any) => void, picture: (picture: Picture) => void, lost: () => void}} on
 */
export function connect(on) {
  let wait = FIRST_WAIT_MS;
  const open = () => {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/live`);
    socket.onmessage = (event) => {
      const message = JSON.parse(event.data);
      wait = FIRST_WAIT_MS;
      if (message.type === "hello") on.hello(message);
      else if (message.type === "picture") on.picture(message);
    };
    socket.onclose = () => {
      on.lost();
      setTimeout(open, wait);
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    };
  };
  open();
}

/** Fetch JSON of this server. @param {string} path @returns {Promise<any>} */
export async function load(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

/** Send an entry; returns "" when taken, else why not. @param {string} path @param {object} entry @returns {Promise<string>} */
export async function send(path, entry) {
  try {
    const answer = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(entry) });
    if (answer.ok) return "";
    const body = await answer.json().catch(() => ({}));
    return body.error ?? `refused (${answer.status})`;
  } catch {
    return "not sent: no connection to Lapwing; try again";
  }
}
