// Files go before their form, where script runs: in pieces that are acknowledged (docs/PROTOCOL.md §18). Large forms hang
// in Tor Browser, which counts as sent what is still in Tor.
import { boxOf, fail, givesAway, haveCome } from "./conversation.js";
import { encoded, inKilobytes, spoken, stage } from "./spoken.js";

const AT_ONCE = 3; // pieces: as many as the inbox reads
const [TIMEOUT, PATIENCE, LONGEST_PAUSE] = [90e3, 180e3, 30e3]; // milliseconds
const PASSING = ["timed_out", "slow_down", "malformed"]; // refusals of this moment
const GIVES_UP = 255; // in the place of an index

const file = document.getElementById("file");
const { form } = file;
const shown = stage("upload", form);
const { say, status, progress, cancel } = shown;
let chosen; // { key, files }, and the name that the inbox gives them
let work; // { ending, heard } while they are sent

// Throws the inbox's answer, if it refuses.
async function post(path, type, body, options) {
  const headers = { "Content-Type": `application/${type}` };
  const answer = await fetch(path, { method: "POST", headers, body, ...options });
  const said = await answer.json();
  if (!answer.ok) throw said;
  return said;
}

function piece(index, part, options) {
  const head = chosen.name + index.toString(16).padStart(2, "0");
  return post("/piece", "octet-stream", new Blob([head, part]), options);
}

// Asks until there is an answer.
async function answered(mine, ask) {
  for (let pause = 1e3; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    try {
      const said = await ask({ signal: AbortSignal.any([mine.ending.signal, AbortSignal.timeout(TIMEOUT)]) });
      mine.heard = performance.now();
      return said;
    } catch (why) {
      const passes = !why.error || PASSING.includes(why.error);
      if (!passes || work !== mine || performance.now() - mine.heard > PATIENCE) throw why;
    }
    await new Promise((resolve) => setTimeout(resolve, pause * (1 + Math.random() / 4)));
  }
}

async function upload(mine) {
  const { key, files } = chosen;
  const { form: id, invitation, challenge, nonces } = Object.fromEntries(new FormData(form));
  const text = encoded(form.elements.text.value).length;
  const heads = files.map(({ name, type, size }) => ({ name, type, size }));
  const box = boxOf(form);
  const asked = JSON.stringify({ form: id, key, text, files: heads, invitation, challenge, nonces, box });
  const begun = await answered(mine, (options) => post("/upload", "json", asked, options));
  chosen.name = begun.upload;
  const content = new Blob(files);
  const began = performance.now();
  const lane = async () => {
    for (let index; (index = begun.missing.shift()) !== undefined; ) {
      const part = content.slice(index * begun.piece, (index + 1) * begun.piece);
      const { bytes } = await answered(mine, (options) => piece(index, part, options));
      progress.value = bytes / content.size;
      const rate = (1000 * (bytes - begun.bytes)) / (performance.now() - began || 1);
      const [done, all, each] = [bytes, content.size, rate].map(inKilobytes);
      status.textContent = say("working", { done, all, each, time: spoken((content.size - bytes) / rate) });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

async function begin() {
  const mine = (work = { ending: new AbortController(), heard: performance.now() });
  shown.begin();
  chosen ??= { key: crypto.getRandomValues(new Uint32Array(4)).join(), files: [...file.files] };
  try {
    if (await givesAway(form)) return work === mine && end("");
    await upload(mine);
    if (work !== mine) return;
    haveCome(chosen.files);
    submit(say("done"));
  } catch (why) {
    if (work === mine) refused(why);
  }
}

function end(words) {
  work.ending.abort();
  work = null;
  shown.end(words);
}

function leaveOut() {
  form.querySelectorAll("[name=upload]").forEach((old) => (old.closest("label") ?? old).remove());
}

// The form names the files instead of having them.
function submit(words) {
  end(words);
  leaveOut();
  form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "upload", value: chosen.name ?? "" }));
  file.name = ""; // so they aren't sent once more
  form.requestSubmit();
}

function refused({ error, words }) {
  const { challenge, nonces } = form.elements;
  const unpaid = challenge && ["spent", "price_rose"].includes(error);
  if (unpaid) challenge.remove(), nonces.remove();
  if (unpaid && document.getElementById("pay")) end(""), form.requestSubmit(); // it is paid anew
  else if (unpaid || ["expired", "no_box"].includes(error)) submit(""); // brings a form that is good
  else {
    end("");
    fail(form, words ?? say("failed"));
  }
}

// The memory is free for others at once.
function giveUp(words) {
  if (work) end(words);
  if (chosen?.name) piece(GIVES_UP, "", { keepalive: true }).catch(() => {});
}

form.addEventListener("submit", (event) => {
  if (event.defaultPrevented || !file.name || !file.files.length) return;
  event.preventDefault();
  if (!work) begin();
});
cancel.addEventListener("click", () => giveUp(say("cancelled")));
file.addEventListener("change", () => {
  giveUp(say("cancelled"));
  chosen = null;
  file.name = "file";
  leaveOut();
});
for (const gone of ["pagehide", "replaced"]) addEventListener(gone, () => work && giveUp(""));
