/** Draws a token from logits, with the random numbers of `rnn_zoo_runtime.decoding`. */

const ROTATIONS = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
];
const PARITY = 0x1bd11bda;

/**
 * A uniform number in [0, 1) for a seed and a step: Threefry-2x32 with 20 rounds.
 *
 * Source: Salmon et al., Parallel random numbers: as easy as 1, 2, 3 (2011), section 3.3.
 */
export function uniform(seed, step) {
  const keys = [seed >>> 0, 0, (seed ^ PARITY) >>> 0];
  let first = (step + keys[0]) >>> 0;
  let second = keys[1];
  for (let group = 0; group < 5; group++) {
    for (const bits of ROTATIONS[group % 2]) {
      first = (first + second) >>> 0;
      second = (((second << bits) | (second >>> (32 - bits))) ^ first) >>> 0;
    }
    first = (first + keys[(group + 1) % 3]) >>> 0;
    second = (second + keys[(group + 2) % 3] + group + 1) >>> 0;
  }
  return first / 2 ** 32;
}

/** Probabilities of logits; -Infinity has the probability 0. */
export function softmax(logits) {
  const highest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - highest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/**
 * The token at which the cumulated probabilities pass a random number.
 *
 * @param {number[]} logits One for each token.
 * @param {number} number In [0, 1).
 * @param {object} options `temperature` (0 takes the most likely token), `topK` (0 = all), `topP`
 *   (1 = all) and `forbidden` ids.
 */
export function draw(logits, number, { temperature = 1, topK = 0, topP = 1, forbidden = [] } = {}) {
  const allowed = logits.map((logit, id) => (forbidden.includes(id) ? -Infinity : logit));
  const order = [...allowed.keys()].sort((a, b) => allowed[b] - allowed[a] || a - b);
  if (temperature === 0) return order[0];
  const shares = softmax(allowed.map((logit) => logit / temperature));
  const kept = new Set(order.slice(0, topK || order.length));
  const total = [...kept].reduce((sum, id) => sum + shares[id], 0);
  let before = 0;
  for (const [place, id] of order.entries()) {
    if (place && before >= topP * total) kept.delete(id);
    before += shares[id];
  }
  const left = shares.map((share, id) => (kept.has(id) ? share : 0));
  const threshold = number * left.reduce((a, b) => a + b, 0);
  let passed = 0;
  for (const [id, share] of left.entries()) {
    passed += share;
    if (passed > threshold) return id;
  }
  return order[0];
}
