// The fields of the session sheet that are kept on the server: their texts, their names in words, their places.

export const form = document.querySelector("[data-sheet]");
const base = form.querySelector("[data-loaded]");

// What the sheet said when the page was made: every field that it has, by name.
export const loaded = JSON.parse(base.value);

// Notes of alerts and a correction's reason stand on the sheet only at times, and are kept as well.
function isKept(name) {
  return name in loaded || name === "reason" || name.startsWith("ack-");
}

export function texts() {
  const typed = new FormData(form);
  const found = new Map();
  for (const { name } of form.elements) {
    if (name && isKept(name)) found.set(name, (typed.get(name) ?? "").replaceAll("\r\n", "\n"));
  }
  return found;
}

function shownIn(input) {
  if (input.type === "checkbox" || input.type === "radio") return input.defaultChecked ? input.value : "";
  if (input.options) return [...input.options].find((option) => option.defaultSelected)?.value ?? input.options[0]?.value;
  return input.defaultValue;
}

// The texts as the page came, before anybody typed: some may have been typed before this script was there.
export function textsAsShown() {
  const shown = new Map();
  for (const input of form.elements) {
    if (input.name && isKept(input.name)) shown.set(input.name, shown.get(input.name) || shownIn(input));
  }
  return shown;
}

// What is sent with the whole page says what this page knows to stand on the server.
export function noteLoaded(name, value) {
  loaded[name] = value;
  base.value = JSON.stringify(loaded);
}

function inputsOf(name) {
  return [...form.elements].filter((input) => input.name === name);
}

export function put(name, value) {
  for (const input of inputsOf(name)) {
    if (input.type === "radio") input.checked = input.value === value;
    else if (input.type === "checkbox") {
      input.checked = Boolean(value);
      if (value) input.value = value;
    } else {
      input.value = value;
      // Whoever stands in it goes on typing instead of what came, not behind it.
      if (input === document.activeElement) input.select?.();
    }
    if (value) input.closest("details")?.setAttribute("open", "");
  }
}

export function focus(name) {
  const input = inputsOf(name)[0];
  input?.closest("details")?.setAttribute("open", "");
  input?.focus();
}

// The box of a field, in which notes about it stand.
export function place(name) {
  return inputsOf(name)[0]?.closest(".field") ?? null;
}

export function label(name) {
  const input = inputsOf(name)[0];
  if (!input) return "A field";
  const group = input.type === "radio" ? input.closest("fieldset")?.querySelector("legend") : input.labels?.[0];
  const named = group?.cloneNode(true);
  named?.querySelectorAll("kbd").forEach((key) => key.remove());
  const words = (named?.textContent ?? "").trim().replaceAll(/\s+/g, " ");
  const lesion = input.closest("[data-lesion]")?.querySelector("legend strong")?.textContent.trim();
  return lesion ? `${lesion}, ${words.toLowerCase()}` : words;
}

// A text as people read it: the words of a choice, "nothing" for an empty field.
export function words(name, value) {
  if (!value) return "nothing";
  const [input] = inputsOf(name);
  if (input?.type === "checkbox") return "ticked";
  if (input?.type === "radio") {
    const chosen = inputsOf(name).find((one) => one.value === value);
    return chosen?.labels?.[0]?.textContent.trim() || value;
  }
  return [...(input?.options ?? [])].find((option) => option.value === value)?.text ?? value;
}
