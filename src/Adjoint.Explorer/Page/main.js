// Puts the page together.

import { h, byId } from "explorer/dom";
import { ask, isLive } from "explorer/source";
import { Model } from "explorer/folding";
import { View, describe } from "explorer/view";
import { details } from "explorer/details";
import { Steps, stepPanel } from "explorer/steps";
import { TrainingPanel } from "explorer/training";

const status = text => (byId("status").textContent = text);
const root = document.documentElement;
const darkens = matchMedia("(prefers-color-scheme: dark)");
const stacked = matchMedia("(max-width: 900px)");
const still = matchMedia("(prefers-reduced-motion: reduce)");
/** What is shown; there from the first refresh on. */
let model = /** @type {Model} */ (/** @type {unknown} */ (undefined));
let training,
  chosen = null;

const view = new View(key => choose(key));
const steps = new Steps((step, silently) => {
  view.mark(steps.states());
  if (silently) return;
  byId("panel-step").replaceChildren(...stepPanel(model, step, key => view.reveal(key)));
  open("step");
  if (chosen)
    details(
      byId("panel-node"),
      model,
      chosen,
      tensor => steps.arrived(tensor),
      key => view.reveal(key),
    );
});
view.paintSteps = () => view.mark(steps.states());

/** Reads the graph anew and shows it. */
async function refresh() {
  const graph = await ask("graph");
  model = new Model(graph);
  steps.model = model;
  steps.list ??= [];
  view.show(model);
  steps.show(model);
  byId("title").textContent = graph.title;
  document.title = `${graph.title} – Adjoint explorer`;
  const count = (number, what) => `${number.toLocaleString("en")} ${what}${number === 1 ? "" : "s"}`;
  const at = graph.step === undefined ? "" : `Step ${graph.step.toLocaleString("en")}: `;
  const size = `${count(graph.ops.length, "op")}, ${count(graph.tensors.length, "tensor")}.`;
  status(`${at}${size} ${graph.missingGradients ?? ""}`);
  byId("found").replaceChildren(
    ...[
      ...new Set(
        [
          ...graph.ops.map(op => op.name),
          ...graph.tensors.map(tensor => tensor.name),
          ...graph.modules.map(module => module.label),
        ].filter(name => name),
      ),
    ].map(value => h("option", { value })),
  );
  // What is being typed in is left alone.
  const isTyping =
    byId("panel-node").contains(document.activeElement) && document.activeElement.matches("input, select");
  if (chosen && !isTyping)
    await details(
      byId("panel-node"),
      model,
      chosen,
      tensor => steps.arrived(tensor),
      key => view.reveal(key),
    );
  root.dataset.version = graph.version;
}

async function choose(key) {
  chosen = key;
  open("node");
  await details(
    byId("panel-node"),
    model,
    key,
    tensor => steps.arrived(tensor),
    other => view.reveal(other),
  );
  // On a narrow screen the panel lies below the graph: it comes into view, now that it has its height.
  if (stacked.matches && chosen === key)
    byId("tabs").scrollIntoView({ block: "start", behavior: still.matches ? "auto" : "smooth" });
}

/** @returns {HTMLElement[]} */
function tabs() {
  return /** @type {HTMLElement[]} */ ([...byId("tabs").children]);
}

function open(name) {
  for (const tab of tabs()) {
    const on = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", String(on));
    tab.tabIndex = on ? 0 : -1;
    byId(tab.getAttribute("aria-controls")).hidden = !on;
  }
}

// 32x8, 32×8, (32, 8), [32, 8], (8,): a shape is one word. Numbers within a layer's own brackets are none.
const SHAPE = /(?<=^|\s)(?:[[(]\s*\d+(?:\s*[x×*,]\s*\d+)*\s*,?\s*[\])]|\d+(?:\s*[x×*,]\s*\d+)+)(?=\s|$)/gi;
const shapeWords = text => text.replace(SHAPE, shape => `${shape.match(/\d+/g).map(Number).join("×")}×`);

function search(text) {
  const words = shapeWords(text.toLowerCase())
    .split(/\s+/)
    .filter(word => word);
  if (words.length === 0) return;
  const tensors = model.graph.tensors.map(tensor => [
    `t${tensor.id}`,
    `${describe(model, { kind: "tensor", id: tensor.id }).label} ${tensor.shape.join(",")}`,
    `${tensor.shape.join("×")}×`,
  ]);
  const within = op =>
    op.module === undefined
      ? []
      : model.chain(op.module).map(id => `${model.modules[id].path} ${model.modules[id].label}`);
  const ops = model.graph.ops.map(op => [`o${op.id}`, `op ${op.name} ${within(op).join(" ")}`, ""]);
  const isShape = word => /^(\d+×)+$/.test(word);
  const places = [...tensors, ...ops]
    .filter(([, found, shape]) =>
      words.every(word => (isShape(word) ? shape === word : found.toLowerCase().includes(word))),
    )
    .map(([key]) => key);
  if (places.length === 0) return status(`Nothing is called, or has the shape, "${text}".`);
  const next = places[(places.indexOf(chosen) + 1) % places.length];
  view.reveal(next);
  status(`${places.indexOf(next) + 1} of ${places.length} found; Enter again for the next.`);
  byId("query").focus();
}

function theme(dark) {
  root.dataset.scheme = dark ? "dark" : "light";
  if (chosen && model)
    details(
      byId("panel-node"),
      model,
      chosen,
      tensor => steps.arrived(tensor),
      key => view.reveal(key),
    );
}

function listen() {
  byId("search").addEventListener("submit", event => {
    event.preventDefault();
    search(/** @type {HTMLInputElement} */ (byId("query")).value);
  });
  byId("fold").addEventListener("click", () => view.fold(true));
  byId("unfold").addEventListener("click", () => view.fold(false));
  byId("fit").addEventListener("click", () => view.fit());
  byId("zoom-in").addEventListener("click", () => view.zoom(1.25));
  byId("zoom-out").addEventListener("click", () => view.zoom(0.8));
  byId("theme").addEventListener("click", () => theme(root.dataset.scheme !== "dark"));
  byId("tabs").addEventListener("click", event => {
    const { id } = /** @type {Element} */ (event.target);
    if (id.startsWith("tab-")) open(id.slice("tab-".length));
  });
  byId("tabs").addEventListener("keydown", event => {
    const shown = tabs().filter(tab => !tab.hidden);
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    const next = shown[(shown.indexOf(/** @type {HTMLElement} */ (event.target)) + by + shown.length) % shown.length];
    open(next.id.slice("tab-".length));
    next.focus();
  });
  document.addEventListener("keydown", event => {
    if (
      /** @type {Element} */ (event.target).closest("input, select, textarea") ||
      event.ctrlKey ||
      event.metaKey ||
      event.altKey
    )
      return;
    const action = {
      f: () => view.fold(true),
      u: () => view.fold(false),
      0: () => view.fit(),
      "+": () => view.zoom(1.25),
      "-": () => view.zoom(0.8),
      ".": () => steps.moveTo(steps.position + 1),
      ",": () => steps.moveTo(steps.position - 1),
      "/": () => byId("query").focus(),
    }[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
  darkens.addEventListener("change", () => theme(darkens.matches));
  let width = innerWidth;
  addEventListener("resize", () => {
    if (Math.abs(innerWidth - width) < 60) return;
    width = innerWidth;
    view.draw(true);
  });
}

theme(darkens.matches);
listen();
try {
  await refresh();
  byId("save").hidden = !isLive;
  if (model.graph.trained) {
    training = new TrainingPanel(byId("panel-training"), refresh);
    await training.start();
    byId("tab-training").hidden = false;
    open("training");
  }
} catch (error) {
  status(error.message);
}
root.dataset.ready = "true";
