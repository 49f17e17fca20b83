// Rows of jobs that change as the jobs do: the page is asked for again, and what has changed in it is put in its place.

import { fetchFacts } from "../parts/server";

interface Props {
  /** Seconds between two looks at a list. */
  pause?: number;
  /** Seconds for which the server may hold a question about one job, and where its facts are. */
  wait?: number;
  at?: string;
}

const LONGEST_PAUSE_S = 15;

export function mount(place: HTMLElement, props: Props): void {
  if (place.dataset.active !== undefined) void follow(place, props);
}

async function follow(place: HTMLElement, props: Props): Promise<void> {
  let pause = props.pause ?? 1;
  while (place.isConnected) {
    try {
      if (props.at) await fetchFacts(`${props.at}.json?wait=${props.wait ?? 20}`);
      else await new Promise((resolve) => setTimeout(resolve, pause * 1000));
      if (document.hidden) await shown();
      if (!(await renewed(place))) return;
      pause = Math.min(pause * 1.2, LONGEST_PAUSE_S);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, LONGEST_PAUSE_S * 1000)); // the server may be restarting
    }
  }
}

/** Put what has changed in its place; whether more may change. */
async function renewed(place: HTMLElement): Promise<boolean> {
  const reply = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!reply.ok) throw new Error(String(reply.status));
  const fresh = new DOMParser().parseFromString(await reply.text(), "text/html").getElementById(place.id);
  if (!fresh) return false;
  for (const now of fresh.querySelectorAll<HTMLElement>("[data-live]")) {
    const then = place.querySelector(`[data-live="${CSS.escape(now.dataset.live ?? "")}"]`);
    if (then && then.innerHTML !== now.innerHTML && !then.contains(document.activeElement)) then.innerHTML = now.innerHTML;
  }
  return fresh.dataset.active !== undefined;
}

function shown(): Promise<void> {
  return new Promise((resolve) => document.addEventListener("visibilitychange", () => resolve(), { once: true }));
}
