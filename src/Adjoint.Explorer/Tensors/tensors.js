// The page of a file of tensors: the list, and of a chosen tensor its summary, histogram, pictures and slices.

import { h, byId } from "explorer/dom";
import { ask } from "explorer/source";
import { digits } from "explorer/format";
import { cells, tensorView } from "explorer/tensor-view";
import { TensorList, sizeText, sizesText } from "tensors/list";

const root = document.documentElement;
const darkens = matchMedia("(prefers-color-scheme: dark)");
/** @type {(id: string) => HTMLInputElement} */
const input = id => /** @type {HTMLInputElement} */ (byId(id));

const list = new TensorList(byId("tensors"), choose);

/** What the list has. */
let listed = [];

/** The tensor that is shown, with its answer; the axes of its slice, and where it is on the others. */
let entry = null;
let tensor = null;
let axes = { rows: 0, columns: 1 };
let at = [];

// Of several answers on their way only the latest counts.
let asked = 0;

/** Runs something that asks the server; what it throws is shown. */
async function whileAsking(work) {
  const mine = ++asked;
  root.dataset.ready = "false";
  try {
    await work(() => mine === asked);
    if (mine === asked) byId("problem").textContent = "";
  } catch (error) {
    if (mine === asked) byId("problem").textContent = error.message;
  } finally {
    if (mine === asked) root.dataset.ready = "true";
  }
}

function search() {
  return whileAsking(async isLatest => {
    const words = input("search").value;
    const { found, tensors } = await ask("tensors", { search: words, sort: input("sort").value });
    if (!isLatest()) return;
    listed = tensors;
    list.show(tensors, { isGrouped: input("sort").value !== "size", isOpen: words !== "", chosen: entry?.index });
    byId("found").textContent =
      found === 0
        ? "No tensor is like that."
        : found > tensors.length
          ? `${found.toLocaleString("en")} found, the first ${tensors.length.toLocaleString("en")} are listed.`
          : words
            ? `${found.toLocaleString("en")} found.`
            : "";
  });
}

function choose(chosen) {
  entry = chosen;
  tensor = null;
  history.replaceState(null, "", `#${entry.index}`);
  list.mark(entry.index);
  byId("name").textContent = entry.name;
  const facts = [sizesText(entry.sizes), entry.type, sizeText(entry.bytes)];
  if (entry.file) facts.push(`in ${entry.file}`);
  if (entry.sharesWith) facts.push(`the same elements as ${entry.sharesWith}`);
  byId("facts").textContent = facts.join(" · ");
  byId("summary").replaceChildren();
  byId("slice").hidden = true;
  if (matchMedia("(max-width: 900px)").matches) byId("chosen").scrollIntoView();
  return whileAsking(async isLatest => {
    const answer = await ask("tensor", { tensor: chosen.index });
    if (!isLatest()) return;
    tensor = answer;
    redraw();
    if (answer.elements === 0) return;
    const rank = answer.shape.length;
    // Of filters (out, in, h, w) one kernel says little: rows and columns are the outputs and inputs.
    axes = answer.pictures ? { rows: 0, columns: 1 } : { rows: Math.max(0, rank - 2), columns: Math.max(0, rank - 1) };
    at = answer.shape.map(() => 0);
    chooseAxes();
    await showSlice(isLatest);
  });
}

function redraw() {
  const { read, elements } = tensor;
  byId("summary").replaceChildren(
    tensorView(tensor, "", {
      more: from => ask("pictures", { tensor: entry.index, from }),
      now: tensor.pictures,
      rows: "filter",
    }),
    read < elements
      ? h(
          "p",
          { class: "quiet" },
          `Of ${read.toLocaleString("en")} of ${elements.toLocaleString("en")} elements, spread evenly.`,
        )
      : "",
  );
}

// What the axes are, and the indices on the others.
function chooseAxes() {
  const { shape } = tensor;
  byId("axes").hidden = shape.length < 3;
  const axis = (label, key) => {
    const select = h(
      "select",
      { id: `axis-${key}`, onchange: () => turn(key, Number(select.value)) },
      shape.map((size, i) => h("option", { value: i, selected: i === axes[key] }, `axis ${i} (${size})`)),
    );
    return h("div", { class: "field" }, h("label", { for: `axis-${key}` }, label), select);
  };
  const index = i => {
    const number = h("input", {
      id: `at-${i}`,
      type: "number",
      min: 0,
      max: shape[i] - 1,
      value: at[i],
      onchange: () => {
        at[i] = Math.min(shape[i] - 1, Math.max(0, Math.trunc(number.valueAsNumber || 0)));
        number.value = String(at[i]);
        whileAsking(showSlice);
      },
    });
    return h("div", { class: "field" }, h("label", { for: `at-${i}` }, `index on axis ${i}, of ${shape[i]}`), number);
  };
  byId("axes").replaceChildren(
    axis("rows", "rows"),
    axis("columns", "columns"),
    ...shape.map((_, i) => i).filter(i => i !== axes.rows && i !== axes.columns).map(index),
  );
}

// An axis that the other one has changes places with it.
function turn(key, to) {
  const other = key === "rows" ? "columns" : "rows";
  if (axes[other] === to) axes[other] = axes[key];
  axes[key] = to;
  chooseAxes();
  byId(`axis-${key}`).focus();
  whileAsking(showSlice);
}

const place = () => ({ tensor: entry.index, ...axes, at: at.join(",") });

async function showSlice(isLatest) {
  const answer = await ask("slice", place());
  if (!isLatest()) return;
  byId("slice").hidden = false;
  const part = tensor.shape.map((_, i) => (i === axes.rows || i === axes.columns ? ":" : at[i]));
  const every = [
    ["row", answer.everyRow],
    ["column", answer.everyColumn],
  ].filter(([, step]) => step > 1);
  const { blocks, shape } = answer;
  if (blocks && tensor.shape.length > 1) [blocks.rows, blocks.columns] = shape;
  byId("map").replaceChildren(
    cells(answer, part.length > 2 ? `[${part.join(", ")}]` : ""),
    ...every.map(([what, step]) => h("p", { class: "quiet" }, `One ${what} of ${step} is looked at.`)),
  );
  byId("window").hidden = answer.values !== undefined;
  byId("numbers").replaceChildren();
  if (answer.values) return;
  const sizes = tensor.shape.length < 2 ? [1, tensor.elements] : [axes.rows, axes.columns].map(i => tensor.shape[i]);
  ["row", "column"].forEach((id, i) => {
    input(id).max = String(sizes[i] - 1);
    input(id).value = "0";
  });
  await showNumbers(isLatest);
}

async function showNumbers(isLatest) {
  const [row, column] = ["row", "column"].map(id => Math.trunc(input(id).valueAsNumber || 0));
  const answer = await ask("numbers", { ...place(), row, column });
  if (!isLatest()) return;
  const [down, across] = answer.shape;
  const range = count => Array.from({ length: count }, (_, i) => i);
  byId("numbers").replaceChildren(
    h(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": "Numbers of the slice" },
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, h("td"), range(across).map(i => h("th", { scope: "col" }, column + i)))),
        h(
          "tbody",
          {},
          range(down).map(i =>
            h(
              "tr",
              {},
              h("th", { scope: "row" }, row + i),
              range(across).map(j => {
                const value = answer.values[i * across + j];
                const isBad = typeof value === "string";
                return h("td", { class: isBad ? "bad" : null, "data-value": value, title: value }, digits(value, 4));
              }),
            ),
          ),
        ),
      ),
    ),
  );
}

function listen() {
  let soon = 0;
  byId("search").addEventListener("input", () => {
    clearTimeout(soon);
    soon = setTimeout(search, 150);
  });
  byId("sort").addEventListener("change", search);
  byId("window").addEventListener("submit", event => {
    event.preventDefault();
    whileAsking(showNumbers);
  });
  document.addEventListener("keydown", event => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof HTMLInputElement) return;
    event.preventDefault();
    byId("search").focus();
  });
  byId("theme").addEventListener("click", () => theme(root.dataset.scheme !== "dark"));
  darkens.addEventListener("change", () => theme(darkens.matches));
}

function theme(dark) {
  root.dataset.scheme = dark ? "dark" : "light";
  if (!tensor) return;
  redraw();
  whileAsking(showSlice);
}

async function begin() {
  const file = await ask("file");
  byId("title").textContent = file.title;
  document.title = `${file.title} – Adjoint explorer`;
  byId("about").textContent =
    `${file.format}: ${file.count.toLocaleString("en")} tensors, ${file.elements.toLocaleString("en")} elements, ` +
    `${sizeText(file.bytes)}.`;
  byId("notes").hidden = file.notes.length === 0;
  byId("notes")
    .querySelector("dl")
    .replaceChildren(
      ...file.notes.flatMap(([name, text]) => [
        h("dt", {}, h("bdi", {}, name)),
        h("dd", { tabindex: 0 }, h("bdi", {}, text)),
      ]),
      file.moreNotes > 0 ? h("dd", { class: "quiet" }, `and ${file.moreNotes} more`) : "",
    );
  await search();
  // The address names the tensor that was chosen before the page was loaded again.
  const again = listed.find(one => `#${one.index}` === location.hash);
  if (again) await choose(again);
}

theme(darkens.matches);
listen();
try {
  await begin();
} catch (error) {
  byId("problem").textContent = error.message;
}
root.dataset.ready = "true";
