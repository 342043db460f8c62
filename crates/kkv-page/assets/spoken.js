// How the page's scripts say what stands in the page for them to say.

function inUnits(count, unit) {
  const format = new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit, unitDisplay: "long" });
  return format.format(Math.ceil(count));
}

// Of a template that has what is said in its data: a function that fills in what stands in braces there.
export function sayer({ dataset }) {
  return (name, values = {}) => dataset[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

export function spoken(seconds) {
  const minutes = seconds / 60;
  return seconds < 90 ? inUnits(Math.max(1, Math.ceil(seconds / 10)) * 10, "second")
    : minutes < 90 ? inUnits(minutes, "minute")
    : minutes < 48 * 60 ? inUnits(minutes / 60, "hour")
    : inUnits(minutes / 60 / 24, "day");
}

export function inKilobytes(bytes) {
  return inUnits(bytes / 1000, "kilobyte");
}

export function encoded(words) {
  return new TextEncoder().encode(words);
}
