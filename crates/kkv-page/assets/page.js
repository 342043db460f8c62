// Paying for a message, where script runs. Without it the page is whole: this adds to the form, beside an invitation,
// what the relay takes as well (docs/PROTOCOL.md §18). All that it says stands in the page, in <template id="pay">.
import { planned } from "./classes.js";
import { fail, forgive } from "./conversation.js";
import { encoded, spoken, stage } from "./spoken.js";

// What takes longer is not offered, in seconds.
const LONGEST = 10 * 60;
// The worker looks at 32 bits of a hash.
const MOST_BITS_EACH = 32;
const LONGEST_TEXT = 3500;

const text = document.getElementById("text");
const form = text.form;
const { invitation, file } = form.elements;
const shown = stage("pay", form);
const { say, status, progress, cancel } = shown;
const needs = document.getElementById("needs");

// Tor Browser says four of every machine. What that many do together is measured, so no more is promised than is so.
const cores = Math.min(navigator.hardwareConcurrency || 1, 64);
const workers = Array.from({ length: cores }, () => new Worker("/worker.js"));
let rates; // of all workers together, in tries a second of each class
let plan; // what paying would take, of the last price
let offered = false;
let work = null; // what is being paid, while it is: { price, found, timer }

// The length of the message as it is stored (docs/PROTOCOL.md §16); 0 if it is a text alone.
function size() {
  const files = Array.from(file?.files ?? []);
  const bytes = (words) => encoded(words).length;
  const each = ({ name, type, size }) => 6 + bytes(name) + bytes(type || "application/octet-stream") + size;
  return files.length && 3 + bytes(text.value) + files.reduce((sum, one) => sum + each(one), 0);
}

// Asks for a challenge. Throws what to say, if there is none.
async function ask() {
  let answer, said;
  try {
    const headers = { "Content-Type": "application/json" };
    answer = await fetch("/price", { method: "POST", headers, body: JSON.stringify({ bytes: size(), class: plan?.name }) });
    said = await answer.json();
  } catch {
    throw say("failed");
  }
  if (answer.ok) return said;
  throw say({ full: "full", too_large: "large", unknown_purpose: "room" }[said.error] ?? "failed");
}

// Says what paying would take. Returns whether that is offered.
function offer(price) {
  plan = planned(price, rates);
  offered = plan.bits <= MOST_BITS_EACH && plan.mean <= LONGEST && plan.mostly <= price.seconds;
  const [time, most] = [plan.mean, plan.most].map(spoken);
  needs.textContent = say(!offered ? "hopeless" : time === most ? "about" : "offer", { time, most });
  invitation.required = !offered;
  document.getElementById("optional").hidden = !offered;
  return offered;
}

function end(words) {
  clearTimeout(work.timer);
  work = null;
  for (const worker of workers) worker.postMessage({});
  shown.end(words);
}

// Nothing was sent, and why.
function refuse(words) {
  if (work) end("");
  fail(form, words);
}

async function pay() {
  const mine = (work = { found: [] });
  shown.begin();
  try {
    mine.price = await ask();
  } catch (words) {
    if (work === mine) refuse(words);
    return;
  }
  if (work !== mine) return;
  const { challenge, puzzle, seconds, class: name } = mine.price;
  if (!offer({ ...mine.price, classes: [name] })) return refuse(needs.textContent);
  // Eight words of four bytes, the lowest first.
  const key = puzzle.match(/.{8}/g).map((word) => parseInt(word.match(/../g).reverse().join(""), 16));
  progress.max = plan.count;
  tell();
  mine.timer = setTimeout(() => refuse(say("late")), seconds * 1000);
  workers.forEach((worker, first) =>
    worker.postMessage({ challenge, class: name, key, bits: plan.bits, first, step: cores }));
}

function tell() {
  const { found } = work;
  const { count, mean } = plan;
  const left = mean * (1 - found.length / count);
  progress.value = found.length;
  status.textContent = say("working", { found: found.length, count, time: spoken(left) });
}

function hear({ challenge, nonce }) {
  if (challenge !== work?.price?.challenge) return; // of one that was given up
  work.found.push(nonce);
  if (work.found.length < plan.count) return tell();
  const nonces = work.found.sort().join("");
  end(say("paid"));
  for (const [name, value] of Object.entries({ challenge, nonces })) {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name, value });
    form.prepend(field); // before the text: what decides whether it is read on stands first
  }
  form.requestSubmit();
}

// All of them at once, as they compute later.
function measure() {
  return new Promise((resolve, reject) => {
    let [ready, measured] = [0, 0];
    const sum = { hash: 0, pbkdf2: 0 };
    for (const worker of workers) {
      worker.onerror = reject;
      worker.onmessage = ({ data }) => {
        if (data.ready && ++ready === cores) for (const one of workers) one.postMessage({ measure: 300 });
        for (const name in data.rate) sum[name] += data.rate[name];
        if (data.rate && ++measured === cores) resolve(sum);
      };
    }
  });
}

// What is wrong with the message already, which would be paid for in vain.
function fault() {
  if (!size() && !text.value.trim()) return say("empty");
  return encoded(text.value).length > LONGEST_TEXT ? say("long") : null;
}

form.addEventListener("submit", (event) => {
  if (!offered || form.elements.challenge || invitation.value.trim()) return;
  event.preventDefault();
  if (work) return;
  const words = fault();
  if (words) refuse(words);
  else pay();
});

cancel.addEventListener("click", () => end(say("cancelled")));

file?.addEventListener("change", async () => {
  if (work) end(say("cancelled"));
  if (!rates) return;
  try {
    offer(await ask());
    forgive();
  } catch (words) {
    refuse(words);
  }
});

// Another page has come in this one's place.
addEventListener("replaced", () => {
  if (work) end("");
  for (const worker of workers) worker.terminate();
}, { once: true });

// Gone back to: what was paid is spent.
addEventListener("pageshow", ({ persisted }) => {
  if (persisted) form.querySelectorAll("[name=challenge], [name=nonces]").forEach((field) => field.remove());
});

// Where there is none, or not for a text alone, the page's own sentence, about an invitation, stays as true as it was.
const first = ask().catch(() => null);
measure().then(async (measured) => {
  rates = measured;
  for (const worker of workers) {
    worker.onmessage = ({ data }) => hear(data);
    worker.onerror = () => work && refuse(say("failed"));
  }
  const price = await first;
  if (price) offer(price);
}, () => {});
