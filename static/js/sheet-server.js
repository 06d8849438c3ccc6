// Asks the server something in the name of the person whose page this is, and says what kind of answer came.

const ANSWER_WITHIN_MS = 10_000;
// A browser sends no more than 64 KiB for a page that is being left.
const MOST_WHEN_LEAVING = 60_000;

export async function ask(url, values) {
  const body = new URLSearchParams({
    csrfmiddlewaretoken: document.querySelector("input[name=csrfmiddlewaretoken]").value,
    person: document.body.dataset.user,
    ...values,
  });
  let answer;
  try {
    answer = await fetch(url, {
      method: "POST",
      body,
      credentials: "same-origin",
      redirect: "manual",
      keepalive: body.toString().length < MOST_WHEN_LEAVING,
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    if (answer.status === 204) return { kind: "nothing" };
    // On to the sign-in, or a token that is of another sign-in, or another person.
    if (answer.type === "opaqueredirect" || answer.status === 403) return { kind: "out" };
    if (answer.status === 404) return { kind: "gone" };
    if (answer.ok) {
      const news = await answer.json();
      return { kind: news.closed ? "closed" : "news", news };
    }
  } catch (error) {
    // An answer that is no JSON comes from something between here and the server.
    return { kind: error instanceof SyntaxError ? "error" : "away" };
  }
  return { kind: "error" };
}
