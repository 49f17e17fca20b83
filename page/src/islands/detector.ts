// A rectangle drawn on the map of a detector goes into the fields for x and y of the form, which is sent.

const LEAST = 4; // pixels of the screen: less is a click

export function mount(place: HTMLElement): void {
  const form = document.querySelector<HTMLFormElement>('form[aria-label="Cuts"]');
  if (!form) return;
  for (const map of place.querySelectorAll<SVGSVGElement>("svg.detector")) brush(map, form);
  const told = document.createElement("p");
  told.className = "soft";
  told.textContent = "Draw a rectangle to choose the stars in it, or write x and y into the form.";
  place.before(told);
}

function brush(map: SVGSVGElement, form: HTMLFormElement): void {
  const drawn = document.createElementNS(map.namespaceURI!, "rect") as SVGRectElement;
  drawn.setAttribute("class", "chosen");
  map.dataset.brush = "";
  let start: DOMPoint | null = null;

  const at = (event: PointerEvent): DOMPoint => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(map.getScreenCTM()!.inverse());
    const side = map.viewBox.baseVal.width;
    return new DOMPoint(Math.min(Math.max(point.x, 0), side), Math.min(Math.max(point.y, 0), side));
  };
  const end = (): void => {
    start = null;
    drawn.remove();
  };
  map.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.pointerType === "touch") return; // fingers move the page
    event.preventDefault();
    map.setPointerCapture(event.pointerId);
    start = at(event);
  });
  map.addEventListener("pointermove", (event) => {
    if (!start) return;
    const here = at(event);
    draw(drawn, start, here);
    map.append(drawn);
  });
  map.addEventListener("pointerup", (event) => {
    if (!start) return;
    const [from, to] = [start, at(event)];
    const least = (LEAST * map.viewBox.baseVal.width) / map.clientWidth;
    end();
    if (Math.abs(from.x - to.x) < least || Math.abs(from.y - to.y) < least) return;
    send(map, form, from, to);
  });
  map.addEventListener("pointercancel", end);
  document.addEventListener("keydown", (event) => event.key === "Escape" && end());
}

function draw(drawn: SVGRectElement, from: DOMPoint, to: DOMPoint): void {
  drawn.setAttribute("x", String(Math.min(from.x, to.x)));
  drawn.setAttribute("y", String(Math.min(from.y, to.y)));
  drawn.setAttribute("width", String(Math.abs(from.x - to.x)));
  drawn.setAttribute("height", String(Math.abs(from.y - to.y)));
}

/** Corners in pixels of the detector, whose y goes up, into the form. */
function send(map: SVGSVGElement, form: HTMLFormElement, from: DOMPoint, to: DOMPoint): void {
  const side = map.viewBox.baseVal.width;
  const [width, height] = [Number(map.dataset.width), Number(map.dataset.height)];
  write(form, "psf_x_center", (from.x / side) * width, (to.x / side) * width);
  write(form, "psf_y_center", (1 - from.y / side) * height, (1 - to.y / side) * height);
  const chip = form.elements.namedItem("chip");
  if (map.dataset.chip && chip instanceof HTMLSelectElement) chip.value = map.dataset.chip;
  form.requestSubmit();
}

function write(form: HTMLFormElement, name: string, one: number, other: number): void {
  (form.elements.namedItem(`${name}_from`) as HTMLInputElement).value = String(Math.round(Math.min(one, other)));
  (form.elements.namedItem(`${name}_to`) as HTMLInputElement).value = String(Math.round(Math.max(one, other)));
}
