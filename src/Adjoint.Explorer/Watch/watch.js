// Asks for the runs, again and again, and draws what has changed.

import { h, s, byId } from "explorer/dom";
import { digits, scaled } from "explorer/format";
import { COLORS, Chart } from "watch/curves";

const OFTEN = 1000,
  SELDOM = 5000;
// More curves cannot be told apart; the latest runs are chosen at first.
const FIRST = 8;
const LOSSES = ["trainLoss", "validationLoss"];

const root = document.documentElement;
const darkens = matchMedia("(prefers-color-scheme: dark)");

/** What is known of a run, by its number: { version, curves, steps }. */
const known = new Map();
/** Whether a run is drawn, by its number, where the reader has chosen. */
const chosen = new Map();
/** @type {Map<string, Chart>} */
const charts = new Map();
let listed = [];

class Refused extends Error {}

async function ask(address) {
  let response;
  try {
    response = await fetch(`./api/${address}`);
  } catch {
    throw new Refused("The tool does not answer: was it stopped? The curves stay as they are.");
  }
  if (response.ok) return response.json();
  const text = await response.text();
  throw new Refused(text.startsWith("{") ? JSON.parse(text).error : text.trim());
}

const letterOf = place => (place < 26 ? String.fromCharCode(65 + place) : String(place + 1));

const isShown = run => chosen.get(run.id) ?? listed.length - listed.indexOf(run) <= FIRST;

/** One look at the runs. Returns whether there will be nothing new. */
async function look() {
  const answer = await ask("runs");
  listed = answer.runs;
  for (const run of listed.filter(isShown)) {
    if (known.get(run.id)?.version === run.version) continue;
    known.set(run.id, await ask(`run?id=${run.id}`));
  }
  byId("problem").textContent = listed
    .filter(run => run.problem)
    .map(run => (answer.isOne ? run.problem : `${run.name}: ${run.problem}`))
    .join(" ");
  heading(answer);
  list(answer);
  draw();
  ranks();
  settings();
  return answer.hasEnded;
}

function heading({ folder, isOne, hasEnded }) {
  const title = isOne && listed.length > 0 ? listed[0].name : folder;
  byId("title").textContent = title;
  document.title = `${title} – Adjoint watch`;
  const count = state => listed.filter(run => run.state === state).length;
  byId("state").textContent = !isOne
    ? ["running", "complete", "interrupted", "diverged", "damaged"]
        .filter(state => count(state) > 0)
        .map(state => `${count(state)} ${state}`)
        .join(", ") || "No run here yet."
    : listed.length === 0
      ? "The folder is gone."
      : hasEnded
        ? `${describe(listed[0])}. It has ended, and so has the tool; this page keeps what it shows.`
        : `${describe(listed[0])}.`;
}

function describe(run) {
  const asked = run.epochsAsked === null || run.epochsAsked === undefined ? "" : ` of ${run.epochsAsked}`;
  const epochs = run.epochs === null || run.epochs === undefined ? "" : `, epoch ${run.epochs}${asked}`;
  const best = run.best ? `, best ${run.metric} ${digits(run.best.value, 4)} after epoch ${run.best.epoch}` : "";
  return `${run.state}${epochs}${best}`;
}

function list({ isOne }) {
  const place = byId("runs");
  place.hidden = isOne;
  const focused = document.activeElement?.id;
  place.replaceChildren(
    ...listed.map((run, i) =>
      h(
        "li",
        { "data-color": i % COLORS },
        h(
          "label",
          {},
          h("input", {
            type: "checkbox",
            id: `run-${run.id}`,
            checked: isShown(run),
            onchange: event => {
              chosen.set(run.id, event.target.checked);
              look().catch(tell);
            },
          }),
          h("b", {}, letterOf(i)),
          h("span", {}, run.name),
          h("span", { class: "quiet" }, describe(run)),
        ),
      ),
    ),
  );
  if (focused?.startsWith("run-")) byId(focused)?.focus();
}

// A chart for the losses, and one for each metric.
function draw() {
  const smoothing = Number(/** @type {HTMLInputElement} */ (byId("smoothing")).value);
  const log = /** @type {HTMLInputElement} */ (byId("log")).checked;
  byId("smoothed").textContent = digits(smoothing, 2);
  const shown = listed
    .map((run, i) => ({ run, i, data: known.get(run.id) }))
    .filter(one => one.data && isShown(one.run));
  const metrics = [...new Set(shown.flatMap(one => Object.keys(one.data.curves ?? {})))].filter(
    name => !LOSSES.includes(name),
  );
  const last = Math.max(
    1,
    ...shown.flatMap(({ data }) => [
      ...Object.values(data.curves ?? {}).map(points => points.at(-1)?.[0] ?? 0),
      data.steps.at(-1)?.[0] ?? 0,
    ]),
  );
  const curve = ({ i, data }, name, kind) => ({
    letter: letterOf(i),
    color: i,
    kind,
    points: (name === "steps" ? data.steps : data.curves?.[name]) ?? [],
  });
  show(
    "loss",
    shown.flatMap(one => [
      curve(one, "steps", "steps"),
      curve(one, "trainLoss", "training"),
      curve(one, "validationLoss", "validation"),
    ]),
  );
  for (const name of metrics)
    show(
      name,
      shown.map(one => curve(one, name, "validation")),
    );
  for (const [name, chart] of charts)
    if (name !== "loss" && !metrics.includes(name)) {
      chart.element.remove();
      charts.delete(name);
    }

  function show(name, curves) {
    let chart = charts.get(name);
    if (!chart) {
      chart = new Chart(name);
      charts.set(name, chart);
      byId("charts").append(chart.element);
    }
    chart.show(curves, { smoothing, log, last });
  }
}

// What the processes of a run did in its last epoch, where it has several.
function ranks() {
  const shown = listed
    .map((run, i) => ({ run, i, of: known.get(run.id)?.ranks }))
    .filter(one => one.of && isShown(one.run));
  byId("ranks").replaceChildren(
    ...(shown.length === 0 ? [] : [h("h2", {}, "Ranks")]),
    ...shown.flatMap(({ i, of }) => [
      h(
        "p",
        { "data-color": i % COLORS },
        listed.length > 1 ? h("b", {}, `${letterOf(i)} `) : null,
        `epoch ${of.epoch}: ${digits(sum(of.ranks, "samplesPerSecond"), 4)} samples/s in all, skew `,
        of.skew === null ? "–" : `${digits(100 * of.skew, 3)} %`,
        h("span", { class: "quiet" }, " (the longest time of computing over the mean, minus 1)"),
      ),
      table(of.ranks),
    ]),
  );
}

const sum = (all, name) => all.reduce((total, one) => total + one[name], 0);

function table(all) {
  const longest = Math.max(...all.map(one => one.computeSeconds + one.waitSeconds));
  const share = seconds => (longest > 0 ? (160 * seconds) / longest : 0);
  return h(
    "table",
    {},
    h(
      "tr",
      {},
      ["rank", "host", "samples/s", "compute", "wait", "hidden", "sent"].map(name => h("th", { scope: "col" }, name)),
      // The heading is the legend of the bars.
      h("th", { scope: "col" },
        h("span", { class: "compute" }, "compute"), " + ", h("span", { class: "wait" }, "wait")),
    ),
    all.map(one =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, one.rank),
        h("td", {}, one.host),
        h("td", {}, digits(one.samplesPerSecond, 4)),
        ["computeSeconds", "waitSeconds", "hiddenSeconds"].map(name => h("td", {}, `${digits(one[name], 3)} s`)),
        h("td", {}, scaled(one.bytes, "B")),
        h(
          "td",
          {},
          s(
            "svg",
            { class: "time", viewBox: "0 0 160 12", "aria-hidden": "true" },
            s("rect", { class: "compute", width: share(one.computeSeconds), height: 12 }),
            s("rect", { class: "wait", x: share(one.computeSeconds), width: share(one.waitSeconds), height: 12 }),
          ),
        ),
      ),
    ),
  );
}

// Of one run all, of several those that differ.
function settings() {
  const shown = listed.map((run, i) => ({ run, i })).filter(one => one.run.settings && isShown(one.run));
  const names = [...new Set(shown.flatMap(one => Object.keys(one.run.settings)))];
  const differing = names.filter(name => new Set(shown.map(one => one.run.settings[name])).size > 1);
  const rows = shown.length > 1 ? differing : names;
  byId("settings").replaceChildren(
    ...(rows.length === 0
      ? []
      : [
          h("h2", {}, shown.length > 1 ? "Settings that differ" : "Settings"),
          h(
            "table",
            {},
            shown.length > 1
              ? h(
                  "tr",
                  {},
                  h("th", { scope: "col" }, "setting"),
                  shown.map(one => h("th", { scope: "col" }, letterOf(one.i))),
                )
              : null,
            rows.map(name =>
              h(
                "tr",
                {},
                h("th", { scope: "row" }, name),
                shown.map(one => h("td", {}, one.run.settings[name] ?? "–")),
              ),
            ),
          ),
        ]),
  );
}

const tell = error => (byId("problem").textContent = error.message);
const theme = dark => (root.dataset.scheme = dark ? "dark" : "light");

async function again() {
  let wait = OFTEN;
  try {
    if (await look()) {
      root.dataset.ended = "true";
      return;
    }
  } catch (error) {
    tell(error);
    wait = SELDOM;
  } finally {
    root.dataset.ready = "true";
  }
  setTimeout(again, wait);
}

theme(darkens.matches);
darkens.addEventListener("change", () => theme(darkens.matches));
byId("theme").addEventListener("click", () => theme(root.dataset.scheme !== "dark"));
byId("smoothing").addEventListener("input", draw);
byId("log").addEventListener("change", draw);
addEventListener("resize", draw);
await again();
