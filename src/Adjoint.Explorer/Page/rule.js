// A rule with its real numbers: which products were summed to one element.

import { h } from "explorer/dom";
import { ask } from "explorer/source";
import { digits, elementText, indexOf, positionOf, shapeText } from "explorer/format";
import { nameOf } from "explorer/details";

const SHOWN = 24;

/** Choose an input and an element, and see what the op gave for it on the way back. */
export function ruleView(model, id) {
  const op = model.graph.ops[id];
  const wanted = op.inputs.map((input, i) => i).filter(i => model.graph.tensors[op.inputs[i]].requiresGrad);
  const place = h("div", { class: "rule", "aria-live": "polite" });
  const input = h(
    "select",
    { "aria-label": "Gradient of which input", onchange: () => first() },
    wanted.map(i => h("option", { value: i }, `∂L/∂${nameOf(model, op.inputs[i])}`)),
  );
  const label = "Of which element, such as 0, 1";
  const at = h("input", { type: "text", "aria-label": label, size: 9, onchange: () => show() });
  const shapeOf = () => model.graph.tensors[op.inputs[Number(input.value)]].shape;
  const show = async () => {
    const shape = shapeOf();
    const { position, problem } = parse(at.value, shape);
    at.setAttribute("aria-invalid", String(problem !== undefined));
    if (problem) return place.replaceChildren(h("p", { class: "problem" }, problem));
    try {
      const asked = [input.value, at.value].join();
      const answer = await ask("rule", { op: id, input: Number(input.value), element: indexOf(position, shape) });
      // Meanwhile something else may have been asked.
      if (asked !== [input.value, at.value].join()) return;
      const name = nameOf(model, op.inputs[answer.input]);
      place.replaceChildren(
        sum(
          "arriving",
          elementText(`∂L/∂${name}`, answer.at),
          answer,
          term => elementText(op.outputs.length > 1 ? `g${term.output + 1}` : "g", term.at),
          `held by the engine: ${answer.held}`,
          term => elementText(nameOf(model, op.inputs[term.slopeInput]), term.slopeAt),
        ),
      );
    } catch (error) {
      place.replaceChildren(h("p", { class: "problem" }, error.message));
    }
  };
  // Another input has other elements.
  const first = () => {
    at.value = positionOf(0, shapeOf()).join(", ");
    return show();
  };
  const whole = h(
    "section",
    { class: "rule-part", "aria-label": "Backward" },
    h("h4", {}, "Backward: which products were summed"),
    h("div", { class: "choose" }, input, "element", at),
    place,
  );
  first();
  return whole;
}

/** Choose an element of the output, of several the first, and see what it was computed from. */
export function partsView(model, id) {
  const op = model.graph.ops[id];
  const shape = model.graph.tensors[op.outputs[0]].shape;
  const place = h("div", { class: "rule", "aria-live": "polite" });
  const at = h("input", { type: "text", "aria-label": "Which element of the output", size: 9, onchange: () => show() });
  at.value = positionOf(0, shape).join(", ");
  const show = async () => {
    const { position, problem } = parse(at.value, shape);
    at.setAttribute("aria-invalid", String(problem !== undefined));
    if (problem) return place.replaceChildren(h("p", { class: "problem" }, problem));
    try {
      const asked = at.value;
      const answer = await ask("parts", { op: id, element: indexOf(position, shape) });
      if (asked === at.value) place.replaceChildren(...parts(model, op, answer, position));
    } catch (error) {
      place.replaceChildren(h("p", { class: "problem" }, error.message));
    }
  };
  show();
  return h(
    "section",
    { class: "rule-part", "aria-label": "Forward" },
    h("h4", {}, "Forward: what the element was made of"),
    shape.length > 0 ? h("div", { class: "choose" }, "y, element", at) : null,
    place,
  );
}

// Where the op is linear in its first operand, the products of that operand, with what is added, are the value itself.
function parts(model, op, answer, at) {
  if (answer.length === 0) return [h("p", { class: "quiet" }, "No input has a slope here.")];
  const held = answer[0].held;
  const inputs = { Linear: [0, 2], Conv2d: [0, 2], Add: [0, 1], Subtract: [0, 1] }[op.name] ?? [answer[0].input];
  const used = answer.filter(part => inputs.includes(part.input));
  const total = used.reduce((sum, part) => sum + part.sum, 0);
  const y = elementText("y", at);
  if (Math.abs(total - held) <= 1e-4 * Math.max(1e-3, Math.abs(held))) {
    const terms = used.flatMap(part => part.terms.map(term => ({ ...term, from: part.input })));
    return [
      sum(
        "input",
        y,
        { terms, count: used.reduce((count, part) => count + part.count, 0), sum: total },
        term => elementText(nameOf(model, op.inputs[term.from]), term.at),
        `held by the engine: ${held}`,
      ),
    ];
  }
  const seen = answer.flatMap(part =>
    part.terms
      .slice(0, 8)
      .map(term => `${elementText(nameOf(model, op.inputs[part.input]), term.at)} = ${digits(term.factor)}`),
  );
  return [
    h(
      "p",
      { class: "sum" },
      `${y} = ${digits(held, 6)}, from ${seen.slice(0, 12).join(", ")}${seen.length > 12 ? ", …" : ""}`,
    ),
  ];
}

function sum(factors, name, answer, factorName, note, slopeName) {
  const terms = answer.terms.slice(0, SHOWN);
  const left = answer.count - terms.length;
  return h(
    "div",
    { class: "sum" },
    h(
      "table",
      { class: "rows" },
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "col" }, factors),
          h("th", { scope: "col" }, "× slope"),
          h("th", { scope: "col" }, "product"),
        ),
      ),
      h(
        "tbody",
        {},
        terms.map(term =>
          h(
            "tr",
            {},
            h("td", {}, `${factorName(term)} = ${digits(term.factor, 4)}`),
            h("td", {}, `${term.slopeAt ? `${slopeName(term)} = ` : ""}${digits(term.slope, 4)}`),
            h("td", {}, digits(term.product, 4)),
          ),
        ),
      ),
      h(
        "tfoot",
        {},
        left > 0 ? h("tr", {}, h("td", { colspan: 3 }, `and ${left.toLocaleString("en")} smaller products`)) : null,
        h(
          "tr",
          {},
          h("th", { scope: "row", colspan: 2 }, name),
          h("td", { "data-sum": String(answer.sum), title: note }, answer.count === 0 ? "0" : digits(answer.sum, 6)),
        ),
      ),
    ),
  );
}

// "3, 1", with or without brackets: { position }, or what is wrong with it, and what is right, as { problem }.
function parse(text, shape) {
  const of = shapeText(shape);
  if (shape.includes(0)) return { problem: `${of} has no elements.` };
  const parts = text
    .replace(/^\s*[[(]|[\])]\s*$/g, "")
    .split(/[\s,;×]+/)
    .filter(part => part !== "");
  const last = shape.map(size => size - 1).join(", ");
  const wrong = parts.find(part => !/^[-−+]?\d+$/.test(part));
  if (wrong !== undefined) return { problem: `"${wrong}" is no whole number: an element of ${of} is such as ${last}.` };
  if (parts.length !== shape.length) {
    const axes = `${shape.length} ${shape.length === 1 ? "axis" : "axes"}`;
    return { problem: `${of} has ${axes}: give as many whole numbers, such as ${last}; found ${parts.length}.` };
  }
  const position = parts.map(part => Number(part.replace("−", "-")));
  const axis = position.findIndex((index, i) => index < 0 || index >= shape[i]);
  if (axis < 0) return { position };
  const range = `axis ${axis} of ${of} goes from 0 to ${shape[axis] - 1}`;
  return { problem: `${digits(position[axis])} is out of range: ${range}.` };
}
