// How the page's scripts say what stands in the page for them to say, and how far it is what takes long.

function inUnits(count, unit) {
  const format = new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit, unitDisplay: "long" });
  return format.format(Math.ceil(count));
}

// Of a template that has what is said in its data: a function that fills in what stands in braces there.
function sayer({ dataset }) {
  return (name, values = {}) => dataset[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

// Asks who leaves.
export function asks(event) {
  event.preventDefault();
}

// Of what takes long and can be cancelled, whose template has this id: what shows how far it is, below its form.
export function stage(id, form) {
  const page = document.getElementById(id);
  const send = form.querySelector("button");
  form.append(page.content.cloneNode(true));
  const [status, progress, cancel] = form.querySelectorAll(`[id^=${id}-]`);
  const say = sayer(page);
  const turn = (isOn) => {
    progress.hidden = cancel.hidden = !isOn;
    send.disabled = isOn;
    (isOn ? addEventListener : removeEventListener)("beforeunload", asks);
  };
  send.disabled = false; // some browsers keep over a reload that it was not
  const begin = () => {
    document.getElementById("error")?.remove(); // it is tried once more
    status.textContent = say("asking");
    progress.removeAttribute("value");
    turn(true);
    cancel.focus();
  };
  const end = (words) => {
    turn(false);
    if (words) send.focus();
    status.textContent = words;
  };
  return { say, status, progress, cancel, begin, end };
}

export function spoken(seconds) {
  const minutes = seconds / 60;
  return seconds < 90 ? inUnits(Math.max(1, Math.ceil(seconds / 10)) * 10, "second")
    : minutes < 90 ? inUnits(minutes, "minute")
    : minutes < 48 * 60 ? inUnits(minutes / 60, "hour")
    : inUnits(minutes / 60 / 24, "day");
}

export function inBytes(bytes) {
  return inUnits(bytes, "byte");
}

export function inKilobytes(bytes) {
  return inUnits(bytes / 1000, "kilobyte");
}

export function encoded(words) {
  return new TextEncoder().encode(words);
}
