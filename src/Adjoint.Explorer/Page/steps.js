// The slider: forward op by op, then backward, gradients adding up where branches meet.

import { h, math, byId } from "explorer/dom";
import { nameOf } from "explorer/details";
import { partsView, ruleView } from "explorer/rule";
import { shapeText } from "explorer/format";

export class Steps {
  constructor(onMove) {
    this.onMove = onMove;
    this.position = 0;
    this.slider = /** @type {HTMLInputElement} */ (byId("position"));
    this.slider.addEventListener("input", () => this.moveTo(Number(this.slider.value)));
    byId("step-back").addEventListener("click", () => this.moveTo(this.position - 1));
    byId("step-on").addEventListener("click", () => this.moveTo(this.position + 1));
    byId("step-play").addEventListener("click", () => this.play());
  }

  /** Begins at the end, where everything is there. */
  show(model) {
    this.model = model;
    this.list = [
      ...model.graph.ops.map(op => ({ op: op.id, back: false })),
      ...model.graph.backward.map(op => ({ op, back: true })),
    ];
    const stays = this.slider.max === String(this.list.length);
    this.slider.max = String(this.list.length);
    this.moveTo(stays ? this.position : this.list.length, true);
  }

  get isAtEnd() {
    return this.position === this.list.length;
  }

  /** How many parts of a tensor's gradient have arrived; null for all. */
  arrived(tensor) {
    if (this.isAtEnd) return null;
    const done = new Set(
      this.list
        .slice(0, this.position)
        .filter(step => step.back)
        .map(step => step.op),
    );
    return this.model.graph.tensors[tensor].arrivals.filter(op => done.has(op)).length;
  }

  moveTo(position, silently = false) {
    this.position = Math.min(this.list.length, Math.max(0, position));
    this.slider.value = String(this.position);
    const step = this.list[this.position - 1];
    const text = !step
      ? "nothing computed yet"
      : this.isAtEnd
        ? `all ${this.list.length} steps`
        : `${this.position} of ${this.list.length}: ${step.back ? "backward" : "forward"} ` +
          this.model.graph.ops[step.op].name;
    byId("phase").textContent = text;
    this.slider.setAttribute("aria-valuetext", text);
    this.onMove(step, silently);
  }

  play() {
    const button = byId("step-play");
    const stop = () => {
      clearInterval(this.timer);
      this.timer = null;
      button.textContent = "▶";
      button.setAttribute("aria-label", "Play the steps");
    };
    if (this.timer) return stop();
    if (this.isAtEnd) this.moveTo(0);
    button.textContent = "❚❚";
    button.setAttribute("aria-label", "Pause the steps");
    this.timer = setInterval(() => {
      this.moveTo(this.position + 1);
      if (this.isAtEnd) stop();
    }, 700);
  }

  /** State of every op (o…), tensor (t…) and edge of a tensor (e…) at this position. */
  states() {
    const states = new Map();
    const forward = new Set(
      this.list
        .slice(0, this.position)
        .filter(step => !step.back)
        .map(step => step.op),
    );
    const back = new Set(
      this.list
        .slice(0, this.position)
        .filter(step => step.back)
        .map(step => step.op),
    );
    const now = this.isAtEnd ? null : this.list[this.position - 1];
    for (const op of this.model.graph.ops)
      states.set(
        `o${op.id}`,
        [
          forward.has(op.id) ? "" : "todo",
          back.has(op.id) && !this.isAtEnd ? "gradient" : "",
          now?.op === op.id ? "now" : "",
        ].join(" "),
      );
    for (const tensor of this.model.graph.tensors) {
      const source = this.model.source[tensor.id];
      const there = tensor.arrivals.filter(op => back.has(op)).length;
      const all = tensor.hasGradient && back.size > 0 && there === tensor.arrivals.length;
      states.set(
        `t${tensor.id}`,
        [source !== null && !forward.has(source) ? "todo" : "", all ? "gradient" : there > 0 ? "partial" : ""].join(
          " ",
        ),
      );
      if (there > 0 && !this.isAtEnd) states.set(`e${tensor.id}`, "gradient");
    }
    return states;
  }
}

/** The panel of a step: the rule, and the rule with its numbers. */
export function stepPanel(model, step, go) {
  if (!step)
    return [
      h("h2", {}, "Nothing computed yet"),
      h(
        "p",
        {},
        "Move the slider: first the values appear, from the inputs to the loss; then the gradients, from the loss " +
          "back to the parameters.",
      ),
    ];
  const op = model.graph.ops[step.op];
  const list = step.back
    ? op.inputs
        .filter(input => model.graph.tensors[input].requiresGrad)
        .map(input => {
          const parts = model.graph.tensors[input].arrivals;
          return h(
            "li",
            {},
            h(
              "button",
              { type: "button", class: "link", onclick: () => go(`t${input}`) },
              `∂L/∂${nameOf(model, input)}`,
            ),
            parts.length > 1 ? ` gets part ${parts.indexOf(op.id) + 1} of ${parts.length}; parts add up` : " arrives",
          );
        })
    : op.outputs.map(output =>
        h(
          "li",
          {},
          h(
            "button",
            { type: "button", class: "link", onclick: () => go(`t${output}`) },
            `${nameOf(model, output)} ${shapeText(model.graph.tensors[output].shape)}`,
          ),
          " is computed",
        ),
      );
  return [
    h(
      "h2",
      {},
      step.back ? "Backward through " : "Forward through ",
      h("button", { type: "button", class: "link", onclick: () => go(`o${op.id}`) }, op.name),
    ),
    h("div", { class: "formula scroll" }, math(step.back ? op.derivation : op.formula)),
    h("ul", {}, list),
    step.back ? ruleView(model, op.id) : partsView(model, op.id),
  ];
}
