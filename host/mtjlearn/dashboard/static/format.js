/* Numbers for people. */

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export function count(value) {
  return value === null || value === undefined ? "" : whole.format(value);
}

export function digits(value, places = 4) {
  if (value === null || value === undefined) {
    return "";
  }
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(2) : String(Number(value.toPrecision(places)));
}

export function percent(value) {
  return value === null || value === undefined ? "" : `${(100 * value).toFixed(1)} %`;
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined) {
    return "";
  }
  const left = Math.max(0, Math.ceil(seconds));
  if (left < 60) {
    return `${left} s`;
  }
  if (left < 3600) {
    return `${Math.floor(left / 60)} min ${left % 60} s`;
  }
  return `${Math.floor(left / 3600)} h ${Math.floor((left % 3600) / 60)} min`;
}

export function small(seconds) {
  if (seconds === null || seconds === undefined) {
    return "";
  }
  return seconds < 1e-3 ? `${digits(seconds * 1e6, 3)} µs` : seconds < 1 ? `${digits(seconds * 1e3, 3)} ms` : `${digits(seconds, 3)} s`;
}

export function moment(text) {
  return text ? text.slice(0, 16).replace("T", " ") : "";
}
