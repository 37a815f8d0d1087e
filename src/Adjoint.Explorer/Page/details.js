// The panel of a node: what it is, its numbers, its rule, its check.

import { h, math } from "explorer/dom";
import { ask } from "explorer/source";
import { digits, elementText, scaled, shapeText } from "explorer/format";
import { tensorView } from "explorer/tensor-view";
import { ruleView, partsView } from "explorer/rule";

/** A name for a tensor: its own, else what made it. */
export function nameOf(model, id) {
  const tensor = model.graph.tensors[id];
  if (tensor.name) return tensor.name;
  const source = model.source[id];
  return source === null ? "constant" : model.graph.ops[source].name.replace(/^./, sign => sign.toLowerCase());
}

/**
 * Fills a panel with a tensor or an op. arrived(id) says how many parts of its gradient the slider has passed, null for
 * all. Where the panel shows the same node already, what is new takes its place only when all of it is there, at the
 * same height.
 */
export async function details(panel, model, key, arrived, go) {
  const id = Number(key.slice(1));
  const content = key[0] === "t" ? tensorDetails(model, id, arrived(id), go) : opDetails(model, id, go);
  const parts = h("div", {}, content);
  const again = panel.dataset.key === key;
  const load = () => Promise.all([...parts.querySelectorAll("[data-later]")].map(element => element.later?.()));
  panel.dataset.key = key;
  if (again) await load();
  // Meanwhile another node may have been chosen.
  if (panel.dataset.key !== key) return;
  const height = panel.scrollTop;
  if (again) takeOver(panel, parts);
  panel.replaceChildren(parts);
  if (again) panel.scrollTop = height;
  else await load();
}

// Elements that were chosen stay chosen.
function takeOver(panel, parts) {
  const [old, fresh] = [panel, parts].map(place => [...place.querySelectorAll(".choose input, .choose select")]);
  if (old.length !== fresh.length) return;
  fresh.forEach((field, i) => {
    if (field.value === old[i].value) return;
    field.value = old[i].value;
    field.dispatchEvent(new Event("change"));
  });
}

const link = (text, key, go) => h("button", { type: "button", class: "link", onclick: () => go(key) }, text);

// A place that fills itself with an answer, or with the reason why there is none.
function later(load) {
  const place = h("div", { "data-later": true, class: "later" });
  place.later = async () => {
    try {
      place.replaceChildren(await load());
    } catch (error) {
      place.replaceChildren(h("p", { class: "problem" }, error.message));
    }
    place.removeAttribute("data-later");
  };
  return place;
}

function tensorDetails(model, id, arrived, go) {
  const tensor = model.graph.tensors[id];
  const name = nameOf(model, id);
  const source = model.source[id];
  const parts = tensor.arrivals.length;
  const rows = tensor.kind === "parameter" ? "filter" : "sample";
  const partial = arrived !== null && arrived < parts;
  return [
    h(
      "h2",
      {},
      name,
      " ",
      h(
        "small",
        {},
        { root: "loss", value: "value", input: "input", parameter: "parameter", constant: "constant" }[tensor.kind],
      ),
    ),
    h(
      "dl",
      { class: "facts" },
      fact("shape", shapeText(tensor.shape)),
      fact("type", tensor.dtype),
      h(
        "div",
        {},
        h("dt", {}, "made by"),
        h("dd", {}, source === null ? "the program" : link(model.graph.ops[source].name, `o${source}`, go)),
      ),
      h(
        "div",
        {},
        h("dt", {}, "used by"),
        h(
          "dd",
          {},
          model.consumers[id].length === 0
            ? "nothing"
            : model.consumers[id].map(op => link(model.graph.ops[op].name, `o${op}`, go)),
        ),
      ),
    ),
    h("h3", {}, "Value"),
    labeled("value", shown(name, { id, which: "value" }, rows)),
    h(
      "h3",
      {},
      "Gradient ",
      partial
        ? h(
            "small",
            {},
            parts === 1
              ? "not there yet"
              : arrived === 0
                ? `none of ${parts} parts has arrived`
                : `${arrived} of ${parts} parts have arrived`,
          )
        : parts > 1
          ? h("small", {}, `sum of ${parts} parts`)
          : null,
    ),
    !tensor.hasGradient
      ? h(
          "p",
          { class: "quiet" },
          model.graph.missingGradients && tensor.requiresGrad
            ? model.graph.missingGradients
            : tensor.requiresGrad
              ? "No gradient arrives here."
              : "No gradient is wanted here.",
        )
      : partial && arrived === 0
        ? h("p", { class: "quiet" }, "Move the slider on: it arrives later.")
        : labeled("gradient", shown(`∂L/∂${name}`, { id, which: "gradient", arrived: partial ? arrived : null }, rows)),
  ];
}

// Which pictures of a tensor were turned to, so that they stay while training goes on.
const turned = new Map();

// A tensor's numbers, and on demand those of its pictures that the first answer leaves out.
const shown = (name, which, rows) =>
  later(async () => {
    const answer = await ask("tensor", which);
    const key = `${which.id} ${which.which}`;
    const more = async from => {
      const page = from === 0 ? answer.pictures : await ask("pictures", { ...which, from });
      turned.set(key, from);
      return page;
    };
    const from = turned.get(key) ?? 0;
    const now = from < (answer.pictures?.total ?? 0) ? await more(from) : answer.pictures;
    return tensorView(answer, name, { more, now, rows });
  });

const labeled = (which, element) => {
  element.dataset.which = which;
  return element;
};

const fact = (label, value) => h("div", {}, h("dt", {}, label), h("dd", {}, value));

// A line of a program may be broken behind a slash.
const placeInProgram = (label, line) =>
  h(
    "div",
    { class: "wide" },
    h("dt", {}, label),
    h(
      "dd",
      {},
      line.split(/(?<=[\\/])/).flatMap(part => [part, h("wbr", {})]),
    ),
  );

function opDetails(model, id, go) {
  const op = model.graph.ops[id];
  const cost = (label, spent) =>
    spent
      ? h(
          "tr",
          {},
          h("th", { scope: "row" }, label),
          h("td", {}, `${digits(spent.milliseconds, 3)} ms`),
          h("td", {}, spent.flops > 0 ? scaled(spent.flops, "FLOP") : "–"),
          h("td", {}, scaled(spent.bytes, "B")),
        )
      : null;
  const went = model.graph.backward.includes(id);
  return [
    h("h2", {}, op.name, " ", h("small", {}, "op")),
    h(
      "dl",
      { class: "facts" },
      h(
        "div",
        {},
        h("dt", {}, "inputs"),
        h(
          "dd",
          {},
          op.inputs.map(input =>
            link(`${nameOf(model, input)} ${shapeText(model.graph.tensors[input].shape)}`, `t${input}`, go),
          ),
        ),
      ),
      h(
        "div",
        {},
        h("dt", {}, op.outputs.length > 1 ? "outputs" : "output"),
        h(
          "dd",
          {},
          op.outputs.map(output => link(shapeText(model.graph.tensors[output].shape), `t${output}`, go)),
        ),
      ),
      op.attributes ? fact("attributes", op.attributes) : null,
      op.module === undefined
        ? null
        : fact("module", `${model.modules[op.module].path} ${model.modules[op.module].label}`),
      op.calledAt ? placeInProgram("called at", op.calledAt) : null,
      op.calledFrom ? placeInProgram("called from", op.calledFrom) : null,
    ),
    h("h3", {}, "Formula"),
    h("div", { class: "formula scroll" }, math(op.formula)),
    h("h3", {}, "Derivation"),
    h("div", { class: "formula scroll" }, math(op.derivation)),
    op.forward
      ? h(
          "table",
          { class: "cost" },
          h("caption", {}, "Cost"),
          h(
            "thead",
            {},
            h(
              "tr",
              {},
              ["", "time", "calculations", "memory"].map(name => h("th", { scope: "col" }, name)),
            ),
          ),
          h("tbody", {}, cost("forward", op.forward), cost("backward", op.backward)),
        )
      : null,
    went ? h("h3", {}, "Checked numerically") : null,
    went ? check(model, id) : null,
    h("h3", {}, "With real numbers"),
    partsView(model, id),
    went
      ? ruleView(model, id)
      : h("p", { class: "quiet" }, model.graph.missingGradients ?? "No gradient went through this op."),
  ];
}

function check(model, id) {
  const place = h("div", { class: "check" });
  const button = h(
    "button",
    {
      type: "button",
      onclick: async () => {
        button.disabled = true;
        place.setAttribute("aria-busy", "true");
        try {
          place.replaceChildren(checked(model, id, await ask("check", { op: id })));
        } catch (error) {
          place.replaceChildren(h("p", { class: "problem" }, error.message), button);
          button.disabled = false;
        }
        place.removeAttribute("aria-busy");
      },
    },
    "Compare with finite differences",
  );
  place.append(
    h(
      "p",
      { class: "quiet" },
      "Moves single elements of these very values up and down in float64, and sees how the loss would follow.",
    ),
    button,
  );
  return place;
}

function checked(model, id, answer) {
  const op = model.graph.ops[id];
  return h(
    "div",
    {},
    h(
      "p",
      { class: answer.passed ? "good" : "problem", role: "status", "data-worst": String(answer.worst) },
      answer.passed
        ? `✓ agrees: the largest error is ${digits(answer.worst, 2)}`
        : `✗ differs: the largest error is ${digits(answer.worst, 2)}, allowed ${digits(answer.tolerance, 2)}`,
    ),
    h(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": "Compared elements" },
      h(
        "table",
        { class: "rows" },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            ["element", "rule", "numeric", "error"].map(name => h("th", { scope: "col" }, name)),
          ),
        ),
        h(
          "tbody",
          {},
          answer.rows.map(row =>
            h(
              "tr",
              {},
              h("th", { scope: "row" }, elementText(`∂L/∂${nameOf(model, op.inputs[row.input])}`, row.at)),
              h("td", { title: `held: ${row.held}` }, digits(row.analytic, 5)),
              h("td", {}, digits(row.numeric, 5)),
              h("td", {}, row.kink ? "kink" : digits(row.error, 2)),
            ),
          ),
        ),
      ),
    ),
  );
}
