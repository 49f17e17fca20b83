// What every page does with scripts: wakes its islands, and gives what can be copied a button.

type Island = { mount(place: HTMLElement, props: never): void | Promise<void> };

/** Each view in a file of its own, which is fetched when a page has it. */
const ISLANDS: Record<string, () => Promise<Island>> = {
  drop: () => import("./islands/drop"),
  plot: () => import("./islands/plot"),
  live: () => import("./islands/live"),
  query: () => import("./islands/query") as Promise<Island>,
  basket: () => import("./islands/basket"),
  cutout: () => import("./islands/cutout"),
  imagefield: () => import("./islands/imagefield"),
  linked: () => import("./islands/linked"),
  upload: () => import("./islands/upload") as Promise<Island>,
  object: () => import("./islands/object"),
  detector: () => import("./islands/detector"),
  variability: () => import("./islands/variability"),
};

for (const place of document.querySelectorAll<HTMLElement>("[data-island]")) void wake(place);
for (const place of document.querySelectorAll<HTMLElement>(".copy")) addCopyButton(place);

const sendable = document.querySelectorAll<HTMLElement>("[data-samp]");
if (sendable.length) void import("./parts/samp").then(({ addSampButton }) => sendable.forEach(addSampButton));

async function wake(place: HTMLElement): Promise<void> {
  const load = ISLANDS[place.dataset.island ?? ""];
  if (!load) return;
  place.dataset.state = "loading";
  try {
    const island = await load();
    await island.mount(place, JSON.parse(place.dataset.props ?? "{}") as never);
    place.dataset.state = "ready";
  } catch (error) {
    place.dataset.state = "failed";
    const told = document.createElement("p");
    told.className = "told";
    told.setAttribute("role", "alert");
    told.textContent = `This view could not be drawn: ${error instanceof Error ? error.message : String(error)}`;
    place.append(told);
  }
}

function addCopyButton(place: HTMLElement): void {
  const text = place.querySelector("code");
  if (!text) return;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text.textContent ?? "");
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  place.append(button);
}
