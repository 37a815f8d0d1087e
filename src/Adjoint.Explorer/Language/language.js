// The page of a language model: a text, its tokens, the attention of heads, and what comes next.

import { h, byId } from "explorer/dom";
import { ask, post } from "explorer/source";
import { digits } from "explorer/format";
import { Attention } from "language/attention";
import { TokenRow, signs } from "language/tokens";

const root = document.documentElement;
const darkens = matchMedia("(prefers-color-scheme: dark)");
/** @type {(id: string) => HTMLInputElement} */
const input = id => /** @type {HTMLInputElement} */ (byId(id));

/** All tokens of the text; the page shows the last of them. */
let tokens = [];
let shown = [];
let place = 0;
let draws = 0;
/** @type {{ draw: number } | null} */
let next = null;

const attention = new Attention(() => choose(attention.row));
const row = new TokenRow(byId("tokens"), choose);
const tell = error => (byId("problem").textContent = error?.message ?? "");

// What is asked while an answer is awaited is asked once more, with what holds then.
let asking = false;
let again = false;
let order = null;

/** Looks at other tokens, or another text, and at what comes after the last of them. */
async function look(what) {
  order = what;
  place = -1;
  await refresh();
}

async function refresh() {
  again = true;
  if (asking) return;
  asking = true;
  root.dataset.ready = "false";
  try {
    while (again) {
      again = false;
      await answer();
      tell(null);
    }
  } catch (error) {
    tell(error);
  } finally {
    asking = false;
    root.dataset.ready = "true";
  }
}

async function answer() {
  if (order) {
    // Another one may come while this one is awaited.
    const own = order;
    order = null;
    const seen = await post("look", own);
    // An empty text is the line break that the model begins with.
    const isBegun = own.text !== "";
    shown = seen.tokens;
    tokens = [...seen.hidden, ...shown.map(token => token.id)];
    if (isBegun && document.activeElement !== input("written")) input("written").value = seen.text;
    status(seen.hidden.length);
    row.show(shown);
    attention.show(seen);
  }
  if (place < 0) place = shown.length - 1;
  mark();
  const topK = input("top-k").valueAsNumber;
  next = await post("next", {
    tokens,
    place,
    temperature: input("temperature").valueAsNumber,
    topK: Number.isFinite(topK) ? topK : null,
    topP: input("top-p").valueAsNumber,
    seed: draws,
  });
  distribution(next);
}

function status(hidden) {
  const count = `${tokens.length.toLocaleString("en")} token${tokens.length === 1 ? "" : "s"}`;
  byId("status").textContent = hidden > 0 ? `${count}, of which the last ${shown.length} are shown.` : `${count}.`;
}

function mark() {
  row.mark(place, attention.of(place));
  attention.chooseRow(place);
  const token = shown[place];
  byId("said").textContent =
    token.probability === undefined
      ? "The first token is given."
      : `The model expected ${signs(token)} with a probability of ${digits(token.probability, 4)}.`;
}

function choose(at) {
  place = at;
  mark();
  refresh();
}

function distribution(answer) {
  const isLast = place === shown.length - 1;
  const follows = shown[place + 1];
  byId("place").textContent = isLast
    ? `After ${signs(shown[place])}, the last token:`
    : `After ${signs(shown[place])} (${place + 1}), where ${signs(follows)} follows; another one replaces the rest:`;
  const percent = value =>
    Number(value) > 0 && Number(value) < 1e-4 ? "< 0.01 %" : `${digits(100 * Number(value), 3)} %`;
  byId("bars").replaceChildren(
    ...answer.tokens.map(token => {
      const bar = h("span", { class: "bar", "aria-hidden": "true" }, h("span", {}), h("span", {}));
      bar.children[0].style.width = `${100 * Number(token.model)}%`;
      bar.children[1].style.width = `${100 * Number(token.drawn)}%`;
      return h(
        "li",
        { class: `${follows?.id === token.id ? "follows" : ""}`, "data-token": token.id, "data-drawn": token.drawn },
        h(
          "button",
          {
            type: "button",
            title: `Append token ${token.id}`,
            "aria-label": `${signs(token)}: ${percent(token.model)}, drawn with ${percent(token.drawn)}; append`,
            onclick: () => append(token.id),
          },
          h("b", {}, signs(token)),
          bar,
          h("span", { class: "number" }, percent(token.model)),
          h("span", { class: "number" }, percent(token.drawn)),
        ),
      );
    }),
  );
  const rest =
    answer.others > 0
      ? `${answer.others.toLocaleString("en")} others: ${percent(answer.othersModel)}, drawn with ` +
        `${percent(answer.othersDrawn)}. `
      : "";
  byId("others").textContent = `${rest}${answer.possible.toLocaleString("en")} can be drawn.`;
}

function append(token) {
  look({ tokens: [...tokens.slice(0, tokens.length - shown.length + place + 1), token] });
}

function listen() {
  byId("prompt").addEventListener("submit", event => {
    event.preventDefault();
    look({ text: input("written").value });
  });
  byId("written").addEventListener("keydown", event => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    look({ text: input("written").value });
  });
  byId("draw").addEventListener("click", () => {
    if (!next || asking) return;
    draws++;
    append(next.draw);
  });
  byId("back").addEventListener("click", () => {
    if (tokens.length > 1) look({ tokens: tokens.slice(0, -1) });
  });
  for (const id of ["temperature", "top-p", "top-k"])
    byId(id).addEventListener("input", () => {
      const value = byId(`${id}-is`);
      if (value) value.textContent = input(id).value;
      refresh();
    });
  byId("theme").addEventListener("click", () => theme(root.dataset.scheme !== "dark"));
  darkens.addEventListener("change", () => theme(darkens.matches));
}

function theme(dark) {
  root.dataset.scheme = dark ? "dark" : "light";
  attention.redraw();
}

theme(darkens.matches);
listen();
try {
  const model = await ask("model");
  byId("title").textContent = model.title;
  document.title = `${model.title} – Adjoint explorer`;
  await look({ text: "" });
} catch (error) {
  tell(error);
}
root.dataset.ready = "true";
