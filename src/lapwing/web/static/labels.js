// Where data blocks go: beside their symbols, not over each other, and where they were before if that still does.

/** `weight`: how much worse it is to cover this than another block. @typedef {{x: number, y: number, width: number, height: number, weight?: number}} Box */

const DISTANCE = 20, RINGS = [1, 2.4, 4.2];
// Directions tried, best first: right above, right below, left above, left below, right, left, above, below.
const WAYS = [[1, -1], [1, 1], [-1, -1], [-1, 1], [1, 0], [-1, 0], [0, -1], [0, 1]];
/** @type {Map<string, number>} */
const before = new Map();

/** @param {Box} a @param {Box} b */
const overlap = (a, b) => Math.max(0, Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x))
  * Math.max(0, Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y));

/**
 * Choose a box for a block of text. @param {string} id @param {number} x @param {number} y of the symbol
 * @param {number} width @param {number} height @param {Box[]} taken boxes not to cover; the chosen one is added
 * @param {{width: number, height: number}} screen @returns {Box}
 */
export function place(id, x, y, width, height, taken, screen) {
  let best = null, least = Infinity, chosen = 0;
  for (const [round, ring] of RINGS.entries()) {
    for (let way = 0; way < WAYS.length; way++) {
      const [east, south] = WAYS[way], gap = DISTANCE * ring;
      const box = {
        x: east > 0 ? x + gap : east < 0 ? x - gap - width : x - width / 2,
        y: south > 0 ? y + gap * 0.6 : south < 0 ? y - gap * 0.6 - height : y - height / 2, width, height,
      };
      const number = way + round * WAYS.length;
      let cost = number * 12 - (before.get(id) === number ? 260 : 0);
      for (const other of taken) cost += overlap(box, other) * 3 * (other.weight ?? 1);
      const out = Math.max(0, -box.x) + Math.max(0, -box.y) + Math.max(0, box.x + width - screen.width)
        + Math.max(0, box.y + height - screen.height);
      cost += out * 90;
      if (cost < least) { least = cost; best = box; chosen = number; }
    }
  }
  before.set(id, chosen);
  if (before.size > 2000) before.clear();
  const box = /** @type {Box} */ (best);
  taken.push(box);
  return box;
}
