// Words that never leave the page, where script runs (docs/PROTOCOL.md §18). Without it the relay makes them, and is told
// them again. This tells it in their place what it needs of them, sends the forms itself, so that the words outlive
// them, and opens the answers. All that it says stands in the page, in <template id="say">.

import { derive, hex, unhex } from "./blake3.js";
import { asks, inBytes } from "./spoken.js";
import { anyStandIn, areIn, areInFile, areOfBip39, load, read, spell } from "./words.js";

const SENT = "sent"; // stands in the tab's history, and nowhere else
const { content, dataset } = document.getElementById("say");
let mine = null; // of this conversation: { words, secret, root }, here alone
let seen = []; // acknowledgements of the answers that are shown
let uploaded = []; // files that are at the inbox before their form
let replaced = 0; // how often another page took this one's place
let list; // of words, once it has come
let leaves = false; // the browser itself sends a form

function remember(entropy) {
  const [secret, root] = ["box secret", "answer root"].map((name) => derive(`kkv/2 2026-11-27 ${name}`, entropy));
  mine = { words: spell(entropy, list), secret, root };
}

// Puts the words where they belong.
function show() {
  const [box, seized] = [document.querySelector(".words"), document.getElementById("seized")];
  if (box) box.textContent = mine.words.join(" ");
  if (seized) seized.textContent = dataset.seized;
}

// Says what is wrong, where the relay's pages say it.
export function fail(form, words) {
  forgive();
  const error = content.querySelector(".error").cloneNode(true);
  error.id = "error";
  if (!form.elements.text) error.querySelector("h2").remove();
  error.querySelector("p").textContent = words;
  document.querySelector("h1").after(error);
  error.focus();
}

// What was wrong is tried once more.
export function forgive() {
  document.getElementById("error")?.remove();
}

// What a form has in it, and what the relay is told in place of the words.
function fields(form, told) {
  const data = new FormData();
  for (const name in told) data.append(name, hex(told[name]));
  for (const one of seen) data.append("seen", hex(one));
  for (const [name, value] of new FormData(form)) if (name !== "words") data.append(name, value);
  return data;
}

// Whether the words are in a file that is chosen. Says so then.
export async function givesAway(form) {
  for (const file of mine && isWanted(form.elements) ? form.elements.file?.files ?? [] : []) {
    if (!areInFile(new Uint8Array(await file.arrayBuffer()), mine.words)) continue;
    fail(form, dataset.inside);
    return true;
  }
  return false;
}

// Of the box with whose conversation a form goes on: an answer there may let it in.
export function boxOf(form) {
  return mine && form.elements.follows ? hex(mine.secret) : undefined;
}

// They have come, and their form names them.
export function haveCome(files) {
  uploaded = files;
}

async function write(form) {
  await made;
  if (!mine) {
    leaves = true;
    return form.submit(); // with the relay's words, which are shown
  }
  if (await givesAway(form)) return;
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const key = derive("kkv/2 2026-11-27 answer key", mine.root, salt);
  const isFirst = !form.elements.follows;
  const { ok } = await send("/", fields(form, { box: mine.secret, salt, key }));
  if (!ok) return;
  seen = [];
  const came = document.getElementById("came");
  for (const { name, size } of form.elements.upload?.value ? uploaded : []) {
    came?.append(Object.assign(document.createElement("li"), { textContent: `${name}: ${inBytes(size)}` }));
  }
  if (!isFirst) return;
  // From here on they are nowhere else.
  addEventListener("beforeunload", asks);
  // A reload, or who comes back, finds a form with other words at this address.
  history.replaceState(SENT, "");
}

async function look(form) {
  const typed = form.elements.words;
  if (typed) {
    list = await load();
    const { entropy, unknown, count } = read(typed.value, list);
    if (unknown) throw dataset.unknown.replace("{word}", () => unknown);
    if (count !== undefined) throw dataset.count.replace("{count}", count);
    if (!entropy) throw await areOfBip39(typed.value, list) ? dataset.kind : dataset.bad;
    remember(entropy);
  }
  // Where answers are deleted, what was typed below them comes back; files stay here.
  const chosen = form.elements.file?.files;
  const data = fields(form, { box: mine.secret });
  data.delete("file");
  seen = (await send("/words", data)).opened;
  const file = document.getElementById("file");
  if (chosen && file) file.files = chosen;
}

// Sends a form, and shows the page that answers in place of this one. Throws what to say if there is none.
async function send(path, body) {
  const answer = await fetch(path, { method: "POST", body });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const main = page.querySelector("main");
  const opened = await open(main);
  const start = main.querySelector("#error") || main.querySelector("h1");
  start.removeAttribute("autofocus"); // the browser complains of a second focus
  start.tabIndex = -1;
  document.title = page.title;
  dispatchEvent(new Event("replaced"));
  removeEventListener("beforeunload", asks);
  document.querySelector("main").replaceWith(main);
  show();
  start.focus();
  // What pays and what sends files begin anew, for the form that is there now.
  replaced += 1;
  for (const script of main.querySelectorAll("script")) {
    const again = document.createElement("script");
    Object.assign(again, { type: "module", src: `${script.getAttribute("src")}?${replaced}`, async: false });
    script.replaceWith(again);
  }
  return { ok: answer.ok, opened };
}

// What is drawn as nothing, or turns the order of letters, as what it is: as the relay does it (visible.rs).
function visible(text) {
  const code = (c) => `<U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}>`;
  return text.replace(/(?!\r\n|[\n\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, code);
}

// Opens the answers of a page. Returns the acknowledgements of those that do open.
async function open(main) {
  const sealed = Array.from(main.querySelectorAll("[data-answer]"));
  if (!sealed.length) return [];
  const { answer } = await import("./sealed.js");
  const shown = sealed.flatMap((article) => {
    const [heading, text] = article.children;
    let opened;
    try {
      opened = answer(mine, unhex(article.dataset.relay), unhex(article.dataset.answer));
    } catch {
      heading.textContent = dataset.unopened;
      text.replaceWith(Object.assign(document.createElement("p"), { textContent: dataset.sealed }));
      return [];
    }
    const time = new Date(Math.min(opened.time, 253402300799) * 1000).toISOString();
    heading.lastChild.textContent = `${time.slice(0, 10)} ${time.slice(11, 16)} UTC`;
    text.textContent = visible(opened.text);
    return [opened.acknowledgement];
  });
  if (!shown.length) main.querySelectorAll(".shown").forEach((one) => one.remove());
  return shown;
}

async function run(form, button, act) {
  const sending = content.getElementById("sending").cloneNode(true);
  button.disabled = true;
  button.after(sending);
  // A screen reader says what changes in what is there.
  const timer = setTimeout(() => (sending.textContent = dataset.sending), 200);
  try {
    await act(form);
  } catch (words) {
    fail(form, typeof words === "string" ? words : dataset.lost);
  }
  clearTimeout(timer);
  sending.remove();
  button.disabled = false;
}

// Whether an answer is wanted, as it always is by who goes on. Without one there are no words to keep.
function isWanted({ text, follows, answer }) {
  return !text || follows || answer.checked;
}

// What of a form is not to be sent, in words.
function fault(elements) {
  const files = Array.from(elements.file?.files ?? []);
  const texts = [elements.text.value, ...files.map(({ name }) => name)];
  if (mine && isWanted(elements) && texts.some((text) => areIn(text, mine.words))) return dataset.inside;
  if (list && anyStandIn(texts[0], list)) return dataset.other;
  if (files.some(({ size }) => !size)) return dataset.hollow;
}

// Before anything is paid for.
function check(event) {
  const { elements } = event.target;
  const words = elements.text && fault(elements);
  if (!words) return;
  event.preventDefault();
  event.stopPropagation();
  fail(event.target, words);
}

document.addEventListener("submit", check, true);
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented) return;
  if (!isWanted(event.target.elements)) return (leaves = true);
  event.preventDefault();
  const form = event.target;
  run(form, form.querySelector("button"), form.elements.text ? write : look);
});
// What deletes answers has a form's fields, and sends no message.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[formaction]");
  if (!button || !mine) return;
  event.preventDefault();
  run(button.form, button, look);
});

// What was typed or chosen is kept nowhere.
addEventListener("beforeunload", (event) => {
  const text = document.getElementById("text");
  const isLost = text && (text.value.trim() || text.form.elements.file?.files.length);
  if (isLost && !leaves) asks(event);
});
addEventListener("pageshow", () => (leaves = false));

// Nobody is to write down the relay's words before there are others. If no list is to be had, they stay, and so does what
// is said of them.
async function make(box) {
  // Nor are they to change once they have shown (style.css), if this has come so late.
  if (getComputedStyle(box).visibility === "visible") return;
  const theirs = box.textContent;
  box.textContent = "…";
  document.documentElement.className = "made";
  try {
    list = await load();
    remember(crypto.getRandomValues(new Uint8Array(16)));
    show();
  } catch {
    box.textContent = theirs;
  }
}

// Says that the words here are others than those of the message that has gone from here.
function sayAnew() {
  const said = Object.assign(document.createElement("p"), { textContent: dataset.unlike });
  said.setAttribute("role", "status");
  const heading = document.querySelector("h1");
  heading.after(said);
  document.title = heading.textContent = dataset.anew;
  document.getElementById("words-heading").textContent = dataset.twelve;
}

const box = document.querySelector(".words");
if (box && history.state === SENT) sayAnew();
const made = box && make(box);
