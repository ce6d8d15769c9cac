/** A field for sound: from the microphone, or from a file; its value is samples at a rate. */

import { h, number } from "./dom.js";

const LONGEST = 10; // seconds of a recording

/** A field of `fields.js` whose value is a Float32Array at `given.rate` samples a second. */
export function sound(given, own) {
  let samples = null;
  let recording = null;
  const state = h("p.note", { role: "status" }, given.note ?? "");
  const record = h("button", { type: "button" }, "Record");
  const file = h("input", { id: own, type: "file", accept: "audio/*,.wav" });
  const play = h("audio", { controls: true, hidden: true, "aria-label": "The sound" });
  const wave = h("canvas.wave", { width: 640, height: 64, "aria-hidden": "true", hidden: true });

  async function take(blob) {
    try {
      samples = await decoded(await blob.arrayBuffer(), given.rate);
      state.textContent = `${number(samples.length / given.rate, 1)} seconds of sound.`;
      play.src = URL.createObjectURL(blob);
      play.hidden = wave.hidden = false;
      draw(wave, samples);
      given.ready?.();
    } catch {
      samples = null;
      state.textContent = "This sound cannot be read: record one, or give a WAV file.";
    }
  }

  async function start() {
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      const recorder = new MediaRecorder(stream);
      const parts = [];
      recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
      recorder.addEventListener("stop", () => {
        for (const track of stream.getTracks()) track.stop();
        record.textContent = "Record";
        recording = null;
        take(new Blob(parts, { type: recorder.mimeType }));
      });
      recorder.start();
      recording = recorder;
      record.textContent = "Stop recording";
      state.textContent = "Recording ...";
      setTimeout(() => recorder.state === "recording" && recorder.stop(), 1000 * LONGEST);
    } catch {
      state.textContent = "No microphone can be used here: give a WAV file instead.";
    }
  }

  record.addEventListener("click", () => (recording ? recording.stop() : start()));
  file.addEventListener("change", () => file.files[0] && take(file.files[0]));
  const element = h(
    "div.field",
    {},
    h("div.sound", {}, record, h("label", { for: own }, "or a WAV file"), file),
    state,
    wave,
    play,
  );
  return {
    element,
    shared: false,
    get value() {
      return samples;
    },
    set value(_) {},
    problem: () => (samples ? "" : "Record a sound or choose a file first."),
  };
}

/** A file of sound as one channel at a rate. */
async function decoded(buffer, rate) {
  const context = new OfflineAudioContext(1, 1, rate); // decoding resamples to its rate
  const audio = await context.decodeAudioData(buffer);
  const sum = new Float32Array(audio.length);
  for (let channel = 0; channel < audio.numberOfChannels; channel++) {
    audio.getChannelData(channel).forEach((value, place) => (sum[place] += value));
  }
  return sum.map((value) => value / audio.numberOfChannels);
}

function draw(canvas, samples) {
  const { width, height } = canvas;
  const context = canvas.getContext("2d");
  const step = Math.max(1, Math.floor(samples.length / width));
  context.clearRect(0, 0, width, height);
  context.fillStyle = getComputedStyle(canvas).color;
  for (let x = 0; x < width; x++) {
    const part = samples.subarray(x * step, (x + 1) * step);
    const peak = part.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const tall = Math.max(1, peak * height);
    context.fillRect(x, (height - tall) / 2, 1, tall);
  }
}
