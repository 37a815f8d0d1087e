// A tensor's numbers: a table where they are few, else a heat map, pictures and a histogram, each beside its summary.

import { h, s, bytesOf } from "explorer/dom";
import { digits, elementText, positionOf, toNumber } from "explorer/format";
import { paint, palette } from "explorer/colors";

const TABLE_COLUMNS = 16;

/**
 * Shows an answer of "tensor". Of its pictures `now` are shown first, more(from) brings those from one on, and `rows`
 * names what the first axis counts.
 */
export function tensorView(answer, name, { more, now, rows }) {
  const { summary } = answer;
  const facts = [
    ["minimum", summary.minimum],
    ["mean", summary.mean],
    ["maximum", summary.maximum],
    ["norm", summary.norm],
    ["zeros", summary.zeros],
    ["NaN", summary.nans],
    ["infinite", summary.infinities],
  ];
  return h(
    "div",
    { class: "tensor" },
    summary.count > 1
      ? h(
          "dl",
          { class: "facts" },
          facts
            .filter(([label, value]) => !["NaN", "infinite"].includes(label) || value > 0)
            .map(([label, value]) =>
              h(
                "div",
                { class: label === "NaN" || label === "infinite" ? "bad" : null },
                h("dt", {}, label),
                h("dd", { "data-value": String(value) }, digits(value, 5)),
              ),
            ),
        )
      : null,
    answer.pictures ? pictures(now, name, more, rows) : null,
    cells(answer, name),
    answer.histogram && summary.count > 8 ? histogram(answer.histogram, summary.minimum, summary.maximum) : null,
  );
}

/** The elements of an answer where it has them, else its heat map. */
export const cells = (answer, name) =>
  answer.values ? table(answer, name) : answer.blocks ? heatMap(answer) : null;

function table(answer, name) {
  const { values, shape } = answer;
  const columns = shape.length > 0 ? shape.at(-1) : 1;
  const across = Math.min(columns, TABLE_COLUMNS) || 1;
  const largest = Math.max(...values.map(toNumber).filter(Number.isFinite).map(Math.abs), 0);
  const color = palette();
  const rows = [];
  for (let at = 0; at < values.length;) {
    const end = Math.min(at + across, (Math.floor(at / columns) + 1) * columns);
    rows.push(
      h(
        "tr",
        {},
        values.slice(at, end).map((value, i) => cell(value, at + i)),
      ),
    );
    at = end;
  }
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": `Elements of ${name}` },
    h("table", { class: "numbers" }, h("tbody", {}, rows)),
  );

  function cell(value, index) {
    const number = toNumber(value);
    const at = positionOf(index, shape);
    const title = `${elementText(name, at)} = ${value}`;
    const element = h("td", { "data-index": index, "data-value": String(value), title }, digits(value, 4));
    if (Number.isFinite(number))
      element.style.setProperty("--heat", `rgb(${color(largest > 0 ? (number / largest) * 0.55 : 0)})`);
    else element.classList.add("bad");
    return element;
  }
}

function heatMap({ blocks, shape }) {
  const means = blocks.means.map(toNumber);
  const largest = Math.max(...means.filter(Number.isFinite).map(Math.abs), 0);
  const canvas = h("canvas", {
    class: "heat",
    role: "img",
    "aria-label": `Heat map of ${shape.join("×")} numbers, blue below 0, orange above`,
  });
  paint(canvas, means, blocks.across, largest);
  canvas.style.aspectRatio = `${Math.max(blocks.across, 12)} / ${Math.max(blocks.down, 6)}`;
  const reduced = blocks.rows > blocks.down || blocks.columns > blocks.across;
  return h(
    "figure",
    {},
    canvas,
    h(
      "figcaption",
      {},
      `${blocks.rows.toLocaleString("en")} × ${blocks.columns.toLocaleString("en")}` +
        (reduced
          ? ", means of blocks of about " +
            `${Math.ceil(blocks.rows / blocks.down)} × ${Math.ceil(blocks.columns / blocks.across)}`
          : "") +
        `; full color is ±${digits(largest, 3)}`,
    ),
  );
}

/** Pictures, each with its place in the tensor, and buttons that turn to the others. */
function pictures(first, name, more, rows) {
  const what = first.channels === 3 ? rows : `${rows}, channel`;
  const place = h("div", { class: `pictures ${first.width <= 7 ? "filters" : ""}` });
  const range = h("span", { role: "status" });
  const problem = h("p", { class: "problem", role: "alert" });
  const turn = (label, text, by) =>
    h("button", { type: "button", "aria-label": label, onclick: () => go(from + by * first.page) }, text);
  const back = turn("The pictures before these", "‹ before", -1);
  const on = turn("The pictures after these", "after ›", 1);
  let from = 0;
  const show = answer => {
    from = answer.from;
    place.replaceChildren(...drawings(answer, name));
    const [begin, end, all] = [from + 1, from + answer.count, answer.total].map(number => number.toLocaleString("en"));
    range.textContent = `${begin} to ${end} of ${all}`;
    [back.disabled, on.disabled] = [from === 0, from + answer.count >= answer.total];
    problem.textContent = "";
  };
  const go = async to => {
    try {
      show(await more(Math.max(0, to)));
    } catch (error) {
      problem.textContent = error.message;
    }
  };
  show(first);
  const coarse = first.step > 1 ? `; every ${first.step}th row and column` : "";
  return h(
    "figure",
    { class: "maps" },
    place,
    h("figcaption", {}, h("span", {}, `${first.height}×${first.width} each, [${what}]${coarse}`), range),
    first.total > first.page ? h("div", { class: "choose", role: "group", "aria-label": "Pictures" }, back, on) : null,
    problem,
  );
}

// From bytes: gray where nothing is negative, else blue and orange about 0.
function drawings(of, name) {
  const bytes = bytesOf(of.bytes);
  const [low, high] = [toNumber(of.minimum), toNumber(of.maximum)];
  const largest = Math.max(Math.abs(low), Math.abs(high));
  const color = palette();
  const size = of.height * of.width;
  const shade =
    of.channels === 3 || low >= 0
      ? (picture, i) =>
          [0, 1, 2].map(channel => bytes[(picture * of.channels + Math.min(channel, of.channels - 1)) * size + i])
      : (picture, i) => color((low + (bytes[picture * size + i] / 255) * (high - low)) / (largest || 1));
  return Array.from({ length: of.count }, (_, picture) => {
    const number = of.from + picture;
    const at = of.channels === 3 ? [number] : [Math.floor(number / of.perSample), number % of.perSample];
    const canvas = h("canvas", {
      width: of.width,
      height: of.height,
      role: "img",
      "aria-label": elementText(name, at),
    });
    const context = canvas.getContext("2d");
    const image = context.createImageData(of.width, of.height);
    for (let i = 0; i < size; i++) image.data.set([...shade(picture, i), 255], 4 * i);
    context.putImageData(image, 0, 0);
    return h("figure", { title: elementText(name, at) }, canvas, h("figcaption", {}, at.join(", ")));
  });
}

/** Bars of a histogram with its ends. */
export function histogram(counts, minimum, maximum, label = "Histogram") {
  const most = Math.max(...counts, 1);
  const wide = 200,
    high = 48;
  const bars = counts.map((count, i) =>
    s("rect", {
      x: (i * wide) / counts.length + 0.5,
      y: high - (count / most) * high,
      width: wide / counts.length - 1,
      height: (count / most) * high,
    }),
  );
  const [low, up] = [toNumber(minimum), toNumber(maximum)];
  const zero =
    low < 0 && up > 0
      ? s("line", { x1: (-low / (up - low)) * wide, x2: (-low / (up - low)) * wide, y1: 0, y2: high, class: "zero" })
      : null;
  return h(
    "figure",
    { class: "histogram" },
    s(
      "svg",
      {
        viewBox: `0 0 ${wide} ${high}`,
        preserveAspectRatio: "none",
        role: "img",
        "aria-label": `${label} from ${digits(minimum, 3)} to ${digits(maximum, 3)}`,
      },
      bars,
      zero,
    ),
    h("figcaption", {}, h("span", {}, digits(minimum, 3)), h("span", {}, digits(maximum, 3))),
  );
}
