// Numbers and names as text.

/** A number from JSON, which has no NaN: those come as their names. */
export const toNumber = value => (typeof value === "string" ? Number(value) : value);

/** A number in so many digits; what is not finite by its name. */
export function digits(value, count = 5) {
  const number = toNumber(value);
  if (number === null || number === undefined) return "–";
  if (Number.isNaN(number)) return "NaN";
  if (!Number.isFinite(number)) return number > 0 ? "∞" : "−∞";
  if (number === 0) return "0";
  const size = Math.abs(number);
  if (Number.isInteger(number) && size < 1e6) return minus(String(number));
  if (size >= 1e6 || size < 1e-4) {
    const [mantissa, exponent] = number.toExponential(Math.max(0, count - 2)).split("e");
    return minus(`${mantissa}e${Number(exponent)}`);
  }
  return minus(number.toPrecision(count));
}

/** Bytes, calculations and the like with a decimal prefix. */
export function scaled(value, unit) {
  for (const { size, prefix } of [
    { size: 1e9, prefix: "G" },
    { size: 1e6, prefix: "M" },
    { size: 1e3, prefix: "k" },
  ])
    if (value >= size) return `${(value / size).toPrecision(3)} ${prefix}${unit}`;
  return `${Math.round(value)} ${unit}`;
}

/** 32×8; a scalar has no axes. */
export const shapeText = shape => (shape.length === 0 ? "scalar" : shape.join("×"));

/** Row-major index of a position. */
export const indexOf = (at, shape) => at.reduce((index, i, axis) => index * shape[axis] + i, 0);

/** Position of a row-major index. */
export function positionOf(index, shape) {
  const at = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    at.unshift(index % shape[axis]);
    index = Math.floor(index / shape[axis]);
  }
  return at;
}

/** name[1, 2]; a scalar has no brackets. */
export const elementText = (name, at) => (at.length === 0 ? name : `${name}[${at.join(", ")}]`);

const minus = text => text.replaceAll("-", "−");
