// A cutout that follows its form: what is changed is shown at once, and the address says how to come back to it.

import { root } from "../parts/server";

export function mount(place: HTMLElement): void {
  const form = place.querySelector("form")!;
  let timer = 0, asked: AbortController | null = null;
  form.querySelector("button")?.setAttribute("hidden", "");
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => void show(), 200);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void show();
  });

  async function show(): Promise<void> {
    asked?.abort();
    asked = new AbortController();
    if (!form.reportValidity()) return;
    const words = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== "") as [string, string][]);
    try {
      const reply = await fetch(`${root}images?${words}`, { signal: asked.signal, headers: { accept: "text/html" } });
      const page = new DOMParser().parseFromString(await reply.text(), "text/html");
      const now = place.querySelector("figure"), next = reply.ok ? page.querySelector("figure.cutout") : null;
      const wasTicked = place.querySelector<HTMLInputElement>("input[name=uri]")?.checked;
      if (!next || !now) throw new Error(page.querySelector(".told, main p")?.textContent ?? "There is no such cutout.");
      now.replaceWith(next);
      if (wasTicked) next.querySelector<HTMLInputElement>("input[name=uri]")?.click();
      place.querySelector(".told")?.remove();
      history.replaceState(null, "", `?${words}`);
    } catch (error) {
      if ((error as Error).name === "AbortError") return;
      const told = place.querySelector(".told") ?? form.insertAdjacentElement("beforebegin", document.createElement("p"))!;
      told.className = "told";
      told.setAttribute("role", "alert");
      told.textContent = (error as Error).message;
    }
  }
}
