/** A melody: its notes drawn on a roll, and played. */

import { h, s } from "./dom.js";

const STEPS = { C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 };
const TEMPO = 100; // quarters a minute
const ROW = 8; // height of a semitone in the drawing
const COLUMN = 9; // width of a sixteenth

/** A note's MIDI number, 60 for C4; null for a rest or another word. */
export function midi(name) {
  const found = name.match(/^([A-G])([#b]?)(-?\d+)$/);
  if (!found) return null;
  const shift = { "#": 1, b: -1, "": 0 }[found[2]];
  return 12 * (Number(found[3]) + 1) + STEPS[found[1]] + shift;
}

/** The notes of a text such as `G4 4 A4 2`: names, lengths in sixteenths; a rest has no pitch. */
export function notes(text) {
  const words = text.split(/\s+/).filter(Boolean);
  const found = [];
  let start = 0;
  for (let place = 0; place + 1 < words.length; place += 2) {
    const length = Number(words[place + 1]);
    if (!(length > 0)) break;
    found.push({ name: words[place], pitch: midi(words[place]), start, length });
    start += length;
  }
  return found;
}

/** The picture of a melody with buttons to play and stop it. */
export function melody(text, count) {
  const found = notes(text);
  const pitched = found.filter(({ pitch }) => pitch !== null);
  if (!pitched.length) return h("p.note", {}, `Melody ${count} has no notes: ${text || "(empty)"}`);
  const { picture, bars } = roll(found, pitched, count);
  const play = h(
    "button.primary",
    { type: "button", "aria-label": `Play melody ${count}` },
    "Play",
  );
  const stop = h(
    "button",
    { type: "button", "aria-label": `Stop melody ${count}`, disabled: true },
    "Stop",
  );
  const tempo = h("input", { type: "range", min: 50, max: 180, step: 5, id: `tempo-${count}` });
  tempo.value = TEMPO;
  let player = null;

  function end() {
    player?.close();
    player = null;
    play.disabled = false;
    stop.disabled = true;
    for (const bar of bars.values()) bar.classList.remove("now");
  }

  play.addEventListener("click", () => {
    play.disabled = true;
    stop.disabled = false;
    stop.focus();
    player = player ?? performed(found, Number(tempo.value), mark, () => (end(), play.focus()));
  });
  stop.addEventListener("click", () => (end(), play.focus()));

  function mark(note) {
    for (const [each, bar] of bars) bar.classList.toggle("now", each === note);
  }

  const names = found.map(({ name, length }) => `${name === "R" ? "rest" : name} ${length}`);
  return h(
    "figure.melody",
    { "aria-label": `Melody ${count}` },
    h(
      "div.scroll",
      { tabindex: 0, role: "group", "aria-label": `Notes of melody ${count}` },
      picture,
    ),
    h("div.actions", {}, play, stop, h("label", { for: tempo.id }, "Tempo"), tempo),
    h(
      "details",
      {},
      h("summary", {}, "Notes and their lengths in sixteenths"),
      h("p", {}, names.join(", ")),
    ),
  );
}

function roll(found, pitched, count) {
  const high = Math.max(...pitched.map(({ pitch }) => pitch)) + 1;
  const low = Math.min(...pitched.map(({ pitch }) => pitch)) - 1;
  const long = found.at(-1).start + found.at(-1).length;
  const left = 34;
  const [width, height] = [left + long * COLUMN + 4, (high - low + 1) * ROW];
  const picture = s("svg.roll", {
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: "img",
    "aria-label": `Melody ${count}: ${pitched.map(({ name }) => name).join(" ")}`,
  });
  const y = (pitch) => (high - pitch) * ROW;
  for (let place = 0; place <= long; place += 16) {
    const x = left + place * COLUMN;
    picture.append(s("line.grid", { x1: x, x2: x, y1: 0, y2: height }));
  }
  const named = new Map(pitched.map(({ name, pitch }) => [pitch, name]));
  let above = -Infinity;
  for (const [pitch, name] of [...named].sort((a, b) => b[0] - a[0])) {
    picture.append(
      s("line.grid", { x1: left, x2: width, y1: y(pitch) + ROW / 2, y2: y(pitch) + ROW / 2 }),
    );
    if (y(pitch) - above < 11) continue; // there is no room for its name
    above = y(pitch);
    picture.append(
      s("text", { x: left - 6, y: y(pitch) + ROW / 2 + 4, "text-anchor": "end" }, name),
    );
  }
  const bars = new Map();
  for (const note of pitched) {
    const bar = s("rect.bar", {
      x: left + note.start * COLUMN + 1,
      y: y(note.pitch),
      width: note.length * COLUMN - 2,
      height: ROW,
      rx: 3,
    });
    bars.set(note, bar);
    picture.append(bar);
  }
  return { picture, bars };
}

/** Plays notes; `mark` is called with the note that sounds, `done` at the end. */
function performed(found, tempo, mark, done) {
  const context = new AudioContext();
  const sixteenth = 15 / tempo; // seconds
  const begin = context.currentTime + 0.1;
  const volume = new GainNode(context, { gain: 0.25 });
  volume.connect(context.destination);
  for (const { pitch, start, length } of found) {
    if (pitch === null) continue;
    const [from, to] = [begin + start * sixteenth, begin + (start + length) * sixteenth];
    const sound = new OscillatorNode(context, {
      type: "triangle",
      frequency: 440 * 2 ** ((pitch - 69) / 12),
    });
    const shape = new GainNode(context, { gain: 0 });
    shape.gain.setValueAtTime(0, from);
    shape.gain.linearRampToValueAtTime(1, from + 0.02);
    shape.gain.exponentialRampToValueAtTime(0.3, Math.max(from + 0.03, to - 0.04));
    shape.gain.linearRampToValueAtTime(0, to);
    sound.connect(shape).connect(volume);
    sound.start(from);
    sound.stop(to + 0.01);
  }
  const end = found.at(-1).start + found.at(-1).length;
  let frame = 0;
  const follow = () => {
    const now = (context.currentTime - begin) / sixteenth;
    if (now >= end) return done();
    mark(found.find(({ start, length }) => now >= start && now < start + length));
    frame = requestAnimationFrame(follow);
  };
  follow();
  return {
    close() {
      cancelAnimationFrame(frame);
      context.close();
    },
  };
}
