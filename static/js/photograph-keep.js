// A photograph is sent while its page stays. Until the server says that it is on the disk it is on this page: it is
// tried again when the network is away or one was signed out, a field that is refused leaves it here, and leaving
// warns. Without this script the form is sent as any other.

const AGAIN_MS = 3000;
const LONGEST_MS = 120_000;
const AWAY = "Not kept yet: the server cannot be reached. It is tried again by itself; stay on this page.";
const OUT = "Not kept yet: you were signed out. Sign in, and it is sent.";

const form = document.querySelector("[data-photograph-form]");
const said = form.querySelector("[data-photograph-said]");
const button = form.querySelector("[type=submit]");
let state = "typing";
let again = 0;

function isUnkept() {
  return state !== "kept" && [...form.querySelectorAll("[type=file]")].some((input) => input.files.length);
}

function say(words, is) {
  said.textContent = words;
  state = is;
  button.disabled = is === "sending";
}

async function send() {
  clearTimeout(again);
  if (state === "sending") return;
  say("Being sent. Stay on this page.", "sending");
  forget();
  let answer;
  try {
    answer = await fetch(form.action, {
      method: "POST",
      body: new FormData(form),
      headers: { Accept: "application/json" },
      credentials: "same-origin",
      redirect: "manual",
      signal: AbortSignal.timeout(LONGEST_MS),
    });
    if (answer.ok) return take(await answer.json());
  } catch {
    say(AWAY, "waiting");
    again = setTimeout(send, AGAIN_MS);
    return;
  }
  if (answer.type === "opaqueredirect" || answer.status === 403) {
    say(OUT, "out");
    document.dispatchEvent(new Event("session:ended"));
  } else say(`Not kept: the server answered ${answer.status}. It is still on this page; keep it again.`, "typing");
}

function take({ next, errors }) {
  if (next) {
    say("Kept.", "kept");
    location.assign(next);
    return;
  }
  say("Not kept yet: correct what is marked. The photograph is still here.", "typing");
  const fields = Object.keys(errors).map((name) => mark(name, errors[name].join(" ")));
  fields.find(Boolean)?.focus();
}

function mark(name, words) {
  const input = form.elements[name];
  if (!input) {
    said.textContent += ` ${words}`;
    return null;
  }
  const told = document.createElement("div");
  told.className = "field-error";
  told.id = `refused-${name}`;
  told.textContent = words;
  told.dataset.refused = "";
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-describedby", `${input.getAttribute("aria-describedby") ?? ""} ${told.id}`.trim());
  input.closest(".field").classList.add("has-error");
  input.after(told);
  return input;
}

function forget() {
  for (const input of form.querySelectorAll("[aria-invalid]")) {
    input.removeAttribute("aria-invalid");
    const described = input.getAttribute("aria-describedby") ?? "";
    input.setAttribute("aria-describedby", described.replace(/ ?refused-\S+/, ""));
    input.closest(".field").classList.remove("has-error");
  }
  for (const told of form.querySelectorAll("[data-refused]")) told.remove();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
addEventListener("online", () => state === "waiting" && send());
document.addEventListener("session:resumed", () => state === "out" && send());
addEventListener("beforeunload", (event) => isUnkept() && event.preventDefault());
