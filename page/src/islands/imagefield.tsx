// The field of a search for images: footprints to move about in, each leading to its row; Aladin Lite, if somebody opens it.

import { circle, outlinesOf, Sky } from "../parts/sky";
import { fetchFacts, root } from "../parts/server";

interface Props {
  ra: number;
  dec: number;
  fov: number;
  circle: number | null;
  regions: (string | null)[];
  titles: string[];
  hips: string[];
  aladin: string | null;
  surveys: string;
  here: string;
  /** A table of objects of the collection, and how ADQL writes its name and its places. */
  objects: { table: string; written: string; ra: string; dec: string } | null;
}

interface Places {
  ra: number[];
  dec: number[];
  overflow: boolean;
}

/** Objects that the field shows, and how wide it may be for that: in a wider one they would be a few of many. */
const MOST_OBJECTS = 5000, WIDEST_DEG = 2;

/** What is used of Aladin Lite 3. */
interface Aladin {
  init: Promise<void>;
  aladin(place: HTMLElement, options: Record<string, unknown>): {
    addOverlay(overlay: unknown): void;
    addCatalog(catalog: unknown): void;
    newImageSurvey(address: string): unknown;
    setBaseImageLayer(survey: unknown): void;
  };
  graphicOverlay(options: Record<string, unknown>): { addFootprints(shapes: unknown[]): void };
  polygon(corners: [number, number][], options?: Record<string, unknown>): unknown;
  catalog(options: Record<string, unknown>): { addSources(sources: unknown[]): void };
  source(ra: number, dec: number, facts?: Record<string, unknown>): unknown;
}

const SURVEYS: Record<string, string> = { cds: "https://alasky.cds.unistra.fr/DSS/DSSColor" };

export async function mount(place: HTMLElement, props: Props): Promise<void> {
  const canvas = document.createElement("canvas");
  canvas.className = "skyview";
  canvas.setAttribute("aria-label", "Footprints of the images below. Arrows move, plus and minus zoom, Home returns, Enter picks.");
  const told = document.createElement("p");
  told.className = "soft";
  told.setAttribute("role", "status");
  told.textContent = "Drag to move; click a footprint to find its row.";
  const tools = document.createElement("p");
  place.replaceChildren(canvas, told, tools);

  const sky = new Sky(canvas, props);
  sky.setFootprints(props.regions.map((region) => region ?? ""));
  if (props.circle) sky.setGuides([circle(props.ra, props.dec, props.circle)]);
  const rows = props.regions.map((_, i) => document.getElementById(`image-${i}`));
  const mark = (index: number | null) => {
    rows.forEach((row, i) => row?.classList.toggle("marked", i === index));
    sky.mark(index);
    told.textContent = index === null ? "Drag to move; click a footprint to find its row." : props.titles[index]!;
  };
  sky.onPick = (picked) => {
    const index = picked?.index ?? null;
    mark(index);
    if (index !== null) rows[index]?.scrollIntoView({ block: "nearest" });
  };
  rows.forEach((row, i) => {
    row?.addEventListener("pointerenter", () => mark(i));
    row?.addEventListener("focusin", () => mark(i));
  });

  const places = placesOf(props);
  places.then(
    (found) => found && sky.setPoints(found.ra, found.dec),
    () => undefined, // the field is worth having without
  );
  if (!props.aladin || (!props.hips.length && !props.surveys)) return; // without a map of its own Aladin asks elsewhere
  if (props.surveys) {
    await openAladin(canvas, told, props, places);
    return;
  }
  const open = document.createElement("button");
  open.type = "button";
  open.textContent = "Open in Aladin Lite";
  open.addEventListener("click", async () => {
    open.disabled = true;
    try {
      await openAladin(canvas, told, props, places);
      sky.destroy();
      open.remove();
    } catch (error) {
      open.disabled = false;
      told.textContent = `Aladin Lite could not be opened: ${error instanceof Error ? error.message : String(error)}`;
    }
  });
  const further = document.createElement("a");
  further.href = `${root}images?${props.here}&surveys=cds`;
  further.textContent = "with sky surveys of the CDS (asks alasky.cds.unistra.fr)";
  tools.append(open, " ", further);
}

/** Aladin Lite in place of our own sky: on the map of the collection that is here, or on a survey that was asked for. */
async function openAladin(canvas: HTMLElement, told: HTMLElement, props: Props, places: Promise<Places | null>): Promise<void> {
  const address = new URL(`${root}assets/${props.aladin}`, document.baseURI).href;
  const A = ((await import(address)) as { default: Aladin }).default;
  await A.init;
  const room = document.createElement("div");
  room.className = "skyview";
  room.setAttribute("aria-label", "Aladin Lite");
  room.setAttribute("role", "application");
  canvas.replaceWith(room);
  const own = new URL(`${root}hips/${encodeURIComponent(props.hips[0] ?? "")}`, document.baseURI).href;
  const view = A.aladin(room, {
    target: `${props.ra} ${props.dec}`,
    fov: Math.min(props.fov, 180),
    survey: SURVEYS[props.surveys] ?? own,
    hipsList: [],
    log: false,
    samp: false,
    cooFrame: "ICRSd",
    showLayersControl: false,
    showProjectionControl: false,
    showShareControl: false,
    showSimbadPointerControl: false,
  });
  const overlay = A.graphicOverlay({ color: "#E69F00", lineWidth: 2 });
  view.addOverlay(overlay);
  for (const region of props.regions) {
    const shapes = outlinesOf(region ?? "");
    overlay.addFootprints(shapes.map((line) => A.polygon(line.ra.map((ra, i) => [ra, line.dec[i]!]))));
  }
  told.textContent = props.surveys ? "Aladin Lite on a survey of the CDS." : `Aladin Lite on the map of ${props.hips[0]}.`;
  const found = await places.catch(() => null);
  if (found && props.objects) {
    const color = getComputedStyle(document.documentElement).getPropertyValue("--link").trim();
    const catalog = A.catalog({ name: props.objects.table, color, sourceSize: 8, shape: "circle" });
    view.addCatalog(catalog);
    catalog.addSources(found.ra.map((ra, i) => A.source(ra, found.dec[i]!)));
    told.textContent += ` Circles: ${found.overflow ? "the first " : ""}${found.ra.length.toLocaleString("en")} rows of ${props.objects.table}.`;
  }
  room.dataset.state = "ready";
}

/** Where there are objects in the field; null where it has none, or is too wide. */
async function placesOf({ objects, ra, dec, fov }: Props): Promise<Places | null> {
  if (!objects || fov > WIDEST_DEG) return null;
  const point = `POINT('ICRS', ${objects.ra}, ${objects.dec})`;
  const query = `SELECT ${objects.ra} AS x, ${objects.dec} AS y\nFROM ${objects.written}\nWHERE 1 = CONTAINS(${point}, CIRCLE('ICRS', ${ra}, ${dec}, ${fov * Math.SQRT1_2}))`;
  const asked = new URLSearchParams({ LANG: "ADQL", FORMAT: "json", MAXREC: String(MOST_OBJECTS), QUERY: query });
  type Answer = { data: [number | null, number | null][]; overflow: boolean }; // two columns are not worth Arrow's code
  const { data, overflow } = await fetchFacts<Answer>(`tap/sync?${asked}`);
  const known = data.filter((place): place is [number, number] => place[0] !== null && place[1] !== null);
  return { ra: known.map(([x]) => x), dec: known.map(([, y]) => y), overflow };
}
