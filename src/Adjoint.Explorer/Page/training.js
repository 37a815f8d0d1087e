// Training, live: controls, curves, decision boundary, predictions, histograms per layer.

import { h, byId, bytesOf } from "explorer/dom";
import { ask, order } from "explorer/source";
import { digits } from "explorer/format";
import { histogram } from "explorer/tensor-view";
import { chart } from "explorer/chart";
import { palette } from "explorer/colors";

const FRAME = 80;
// The graph follows, as often as a tenth of the time allows, at most twice a second.
const GRAPH = 500,
  GRAPH_SHARE = 0.1;
const MOST_POINTS = 4000;

export class TrainingPanel {
  /** onMove() reads the graph anew: now and then while it plays, and when it stands. */
  constructor(panel, onMove) {
    this.panel = panel;
    this.onMove = onMove;
    this.curves = { training: [], validation: [] };
    this.resets = -1;
    this.playing = false;
  }

  async start() {
    this.build(await ask("training", { after: -1, detailed: 1 }));
  }

  build(state) {
    const choice = (label, id, names, value, what) => {
      const select = h(
        "select",
        { id, onchange: () => this.send({ [what]: select.value }) },
        names.map(name => h("option", { value: name, selected: name === value }, name)),
      );
      return h("div", { class: "field" }, h("label", { for: id }, label), select);
    };
    this.rate = h("input", {
      id: "rate",
      type: "number",
      min: 0,
      step: "any",
      value: state.learningRate,
      onchange: () => this.setRate(),
    });
    this.seed = h("input", { id: "seed", type: "number", min: 0, step: 1, value: state.seed });
    this.play = h(
      "button",
      { type: "button", id: "play", onclick: () => this.send({ action: this.playing ? "pause" : "play" }) },
      "Play",
    );
    const button = (id, text, what) => h("button", { type: "button", id, onclick: () => this.send(what()) }, text);
    this.facts = h("p", { id: "progress", role: "status" });
    this.problem = h("p", { class: "problem", role: "alert" });
    this.loss = h("div", { class: "chart" });
    this.accuracy = h("div", { class: "chart" });
    this.picture = h("div", {});
    this.layers = h("div", {});
    const activation =
      state.activations.length > 0
        ? choice("activation", "activation", state.activations, state.activation, "activation")
        : null;
    const speed = h(
      "select",
      { id: "speed", onchange: () => this.send({ speed: Number(speed.value) }) },
      [
        ["2", "2 steps/s"],
        ["20", "20 steps/s"],
        ["100", "100 steps/s"],
        ["0", "full speed"],
      ].map(([value, text]) => h("option", { value, selected: Number(value) === state.speed }, text)),
    );
    this.panel.replaceChildren(
      h(
        "div",
        { class: "buttons", role: "group", "aria-label": "Training" },
        this.play,
        button("one-step", "One step", () => ({ action: "step" })),
        button("one-epoch", "One epoch", () => ({ action: "epoch" })),
        button("reset", "Reset", () => ({ action: "reset", seed: Number(this.seed.value) })),
      ),
      h(
        "div",
        { class: "fields" },
        h("div", { class: "field" }, h("label", { for: "rate" }, "learning rate"), this.rate),
        choice("optimizer", "optimizer", state.optimizers, state.optimizer, "optimizer"),
        activation,
        h("div", { class: "field" }, h("label", { for: "seed" }, "seed at reset"), this.seed),
        h("div", { class: "field" }, h("label", { for: "speed" }, "speed"), speed),
      ),
      ...(activation
        ? []
        : [
            h(
              "p",
              { class: "quiet" },
              "The activation of this network is part of its blocks and cannot be changed here.",
            ),
          ]),
      this.facts,
      this.problem,
      this.picture,
      h("h3", {}, "Loss"),
      this.loss,
      h("h3", {}, "Accuracy"),
      this.accuracy,
      h("h3", {}, "Layers ", h("small", {}, "on validation samples")),
      this.layers,
    );
    this.take(state);
  }

  // A field that holds no number is empty to a program, which would be 0.
  setRate() {
    if (this.rate.value === "") this.problem.textContent = "A learning rate is a number from 0.";
    else this.send({ learningRate: Number(this.rate.value) });
  }

  async send(what) {
    try {
      this.take(await order(what, this.last()));
      if (this.playing) this.follow();
      else await this.onMove();
    } catch (error) {
      this.problem.textContent = error.message;
    }
  }

  // While it plays, the page asks for what is new, as fast as it can draw.
  async follow() {
    if (this.following) return;
    this.following = true;
    try {
      let next = 0;
      while (this.playing) {
        const begun = performance.now();
        this.take(await ask("training", { after: this.last(), detailed: 1 }));
        if (this.playing && begun >= next) {
          const asked = performance.now();
          await this.onMove();
          next = performance.now() + Math.max(GRAPH, (performance.now() - asked) / GRAPH_SHARE);
        }
        await new Promise(resolve => setTimeout(resolve, Math.max(0, FRAME - (performance.now() - begun))));
      }
      await this.onMove();
    } catch (error) {
      this.problem.textContent = error.message;
      this.playing = false;
    }
    this.following = false;
  }

  last() {
    return Math.min(this.curves.training.at(-1)?.[0] ?? -1, this.curves.validation.at(-1)?.[0] ?? -1);
  }

  take(state) {
    const begins = state.resets !== this.resets;
    if (begins) this.curves = { training: [], validation: [] };
    this.resets = state.resets;
    for (const name of ["training", "validation"]) {
      const known = this.curves[name].at(-1)?.[0] ?? -1;
      this.curves[name].push(...state[name].filter(point => point[0] > known));
      if (this.curves[name].length > MOST_POINTS) this.curves[name] = thinned(this.curves[name]);
    }
    // The server forgets what came before a reset, so its answer must not begin after old steps.
    if (begins && state.step > 0 && state.training.length === 0) this.playing = state.playing;
    const now = performance.now();
    if (state.playing && this.seen && state.step > this.seen.step)
      this.pace = ((state.step - this.seen.step) / (now - this.seen.now)) * 1000;
    this.seen = { step: state.step, now };
    this.playing = state.playing;
    this.play.textContent = state.playing ? "Pause" : "Play";
    this.problem.textContent = state.problem ?? "";
    if (document.activeElement !== this.rate) this.rate.value = state.learningRate;
    const [loss, validation] = [this.curves.training.at(-1), this.curves.validation.at(-1)];
    const facts = [
      `step ${state.step.toLocaleString("en")}`,
      `epoch ${(state.step / state.stepsPerEpoch).toFixed(2)}`,
    ];
    if (loss) facts.push(`loss ${digits(loss[1], 4)}`);
    if (validation) facts.push(`validation accuracy ${(100 * validation[2]).toFixed(1)} %`);
    if (state.playing && this.pace) facts.push(`${Math.round(this.pace).toLocaleString("en")} steps/s`);
    this.facts.textContent = facts.join(", ");
    this.facts.dataset.step = state.step;
    chart(this.loss, this.curves, 1, "loss");
    chart(this.accuracy, this.curves, 2, "accuracy");
    if (state.boundary) this.picture.replaceChildren(boundary(state.boundary));
    if (state.pictures) this.picture.replaceChildren(predictions(state.pictures));
    if (state.layers) this.layers.replaceChildren(...state.layers.map(layer));
  }
}

// Half as many points, equally far apart, so that the first steps do not become sparser than the last.
function thinned(points) {
  const apart = points.at(-1)[0] / (MOST_POINTS / 2);
  let kept = -Infinity;
  return points.filter((point, i) => {
    if (point[0] - kept < apart && i < points.length - 1) return false;
    kept = point[0];
    return true;
  });
}

function layer(of) {
  const dead = of.dead.length;
  return h(
    "section",
    { class: "layer", "aria-label": `Layer ${of.path} ${of.label}` },
    h(
      "h4",
      {},
      `${of.path} ${of.label}`,
      dead > 0
        ? h(
            "span",
            { class: "dead", title: `The same number for every sample: units ${of.dead.slice(0, 30).join(", ")}` },
            ` ${dead} of ${of.units} units dead`,
          )
        : null,
    ),
    h(
      "div",
      { class: "pair" },
      h(
        "div",
        {},
        h("span", { class: "quiet" }, "output"),
        histogram(of.output.counts, of.output.minimum, of.output.maximum, "Output"),
      ),
      h(
        "div",
        { class: "gradients" },
        h("span", { class: "quiet" }, "gradient"),
        histogram(of.gradient.counts, of.gradient.minimum, of.gradient.maximum, "Gradient"),
      ),
    ),
  );
}

/** The probability of class 1 over the plane, with data on it. */
function boundary({ cells, reach, bytes, points }) {
  const probability = bytesOf(bytes);
  const size = 288,
    color = palette();
  const small = h("canvas", { width: cells, height: cells });
  const context = small.getContext("2d");
  const image = context.createImageData(cells, cells);
  probability.forEach((value, i) => image.data.set([...color(value / 127.5 - 1), 255], 4 * i));
  context.putImageData(image, 0, 0);
  const canvas = h("canvas", {
    width: 2 * size,
    height: 2 * size,
    class: "boundary",
    role: "img",
    "aria-label": "Probability of class 1 over both features, with validation samples",
  });
  const large = canvas.getContext("2d");
  large.imageSmoothingEnabled = true;
  large.drawImage(small, 0, 0, 2 * size, 2 * size);
  const dark = document.documentElement.dataset.scheme === "dark";
  for (const [x, y, label] of points) {
    if (Math.abs(x) > reach || Math.abs(y) > reach) continue;
    large.beginPath();
    large.arc(((x + reach) / (2 * reach)) * 2 * size, ((reach - y) / (2 * reach)) * 2 * size, 5, 0, 7);
    large.fillStyle = label ? (dark ? "#ff9d4d" : "#b84a00") : dark ? "#63b8ff" : "#00569e";
    large.strokeStyle = dark ? "#111" : "#fff";
    large.lineWidth = 2;
    large.fill();
    large.stroke();
  }
  return h(
    "figure",
    {},
    canvas,
    h(
      "figcaption",
      {},
      `Where it says class 1 (orange) and class 0 (blue), x₀ and x₁ from −${reach} to ${reach}; ` +
        "dots are validation samples.",
    ),
  );
}

/** The batch that comes next, wrong ones first. */
function predictions({ channels, height, width, bytes, samples }) {
  const pixels = bytesOf(bytes);
  const size = height * width;
  const wrong = samples.filter(sample => sample.label !== sample.predicted).length;
  const items = samples.map((sample, i) => {
    const canvas = h("canvas", { width, height, "aria-hidden": "true" });
    const context = canvas.getContext("2d");
    const image = context.createImageData(width, height);
    for (let at = 0; at < size; at++)
      image.data.set(
        [...[0, 1, 2].map(channel => pixels[(i * channels + Math.min(channel, channels - 1)) * size + at]), 255],
        4 * at,
      );
    context.putImageData(image, 0, 0);
    const right = sample.label === sample.predicted;
    return h(
      "li",
      { class: right ? "right" : "wrong" },
      canvas,
      h("span", {}, right ? `✓ ${sample.label}` : `✗ ${sample.predicted}, not ${sample.label}`),
      h("span", { class: "quiet" }, `${(100 * sample.probability).toFixed(0)} %`),
    );
  });
  return h(
    "figure",
    {},
    h("figcaption", {}, `The batch of the next step: ${wrong} of ${samples.length} wrong`),
    h("ul", { class: "predictions" }, items),
  );
}
