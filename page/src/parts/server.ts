// The server that this page is from: where it is, what it answers in JSON, and an error's own words.

/** Way from this page to the first one, as the page itself writes it. */
export const root = document.querySelector<HTMLAnchorElement>("header .home")?.getAttribute("href") || "./";

/** Ask for something below the first page. */
export async function ask(at: string, init: RequestInit = {}): Promise<Response> {
  const reply = await fetch(root + at, init);
  if (!reply.ok) throw new Error(await wordsOf(reply));
  return reply;
}

/** Ask for facts in JSON. */
export async function fetchFacts<T>(at: string, init: RequestInit = {}): Promise<T> {
  return (await (await ask(at, init)).json()) as T;
}

/** What a refusal says: the words of a VOTable's or a JSON's error, or the text itself. */
async function wordsOf(reply: Response): Promise<string> {
  const text = await reply.text();
  const kind = reply.headers.get("content-type") ?? "";
  if (kind.includes("json")) {
    try {
      const told = JSON.parse(text) as { error?: string; message?: string };
      return told.error ?? told.message ?? text;
    } catch {
      return text;
    }
  }
  if (kind.includes("xml")) {
    const info = new DOMParser().parseFromString(text, "text/xml").querySelector('INFO[name="QUERY_STATUS"]');
    return info?.textContent?.trim() || `The server answers ${reply.status}.`;
  }
  return kind.includes("html") ? `The server answers ${reply.status}.` : text.trim();
}
