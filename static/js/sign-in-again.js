// Signs the person of this page in again, without leaving it.

const body = document.body;

// Who is signed in in this browser now: {person, name, token}; the person is null for nobody.
export async function whoIsSignedIn() {
  const answer = await fetch(body.dataset.signedInUrl, { credentials: "same-origin", cache: "no-store" });
  if (!answer.ok) throw new Error("no answer");
  return answer.json();
}

export function isOwner(who) {
  return String(who.person) === body.dataset.user;
}

// Every form of the page, and what htmx sends, gets the token of the new sign-in.
export function setToken(token) {
  document.querySelectorAll("input[name=csrfmiddlewaretoken]").forEach((input) => (input.value = token));
  if (body.hasAttribute("hx-headers")) body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": token }));
}

// Gives "in", "wrong", "paused" or "other": somebody else is signed in, and is not signed out from here.
export async function signInAgain(password) {
  const before = await whoIsSignedIn();
  if (before.person !== null) return { result: isOwner(before) ? "in" : "other", who: before };
  const answer = await fetch(body.dataset.signInUrl, {
    method: "POST",
    body: new URLSearchParams({
      csrfmiddlewaretoken: before.token,
      username: body.dataset.userName,
      password,
    }),
    credentials: "same-origin",
    redirect: "manual",
  });
  if (answer.status === 429) return { result: "paused" };
  if (answer.type !== "opaqueredirect") {
    if (!answer.ok) throw new Error("no answer");
    return { result: "wrong" };
  }
  const who = await whoIsSignedIn();
  return { result: isOwner(who) ? "in" : "other", who };
}
