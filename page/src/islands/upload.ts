// A file that is dropped onto the form, or chosen there, gives the table its name; a dropped one is sent at once.

export function mount(form: HTMLFormElement): void {
  const file = form.elements.namedItem("file") as HTMLInputElement;
  const name = form.elements.namedItem("name") as HTMLInputElement;
  const place = form.querySelector<HTMLElement>(".drop");
  place?.removeAttribute("hidden");

  const suggest = () => {
    const chosen = file.files?.[0];
    if (chosen && !name.value) name.value = nameOf(chosen.name);
  };
  file.addEventListener("change", suggest);

  for (const kind of ["dragenter", "dragover"])
    form.addEventListener(kind, (event) => {
      event.preventDefault();
      form.dataset.over = "";
    });
  form.addEventListener("dragleave", (event) => {
    if (!form.contains(event.relatedTarget as Node | null)) delete form.dataset.over;
  });
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    delete form.dataset.over;
    const dropped = (event as DragEvent).dataTransfer?.files;
    if (!dropped?.length) return;
    file.files = dropped;
    suggest();
    if (form.reportValidity()) form.requestSubmit();
  });
  form.addEventListener("submit", () => {
    if (place) place.textContent = "It is on its way …";
    form.setAttribute("aria-busy", "true");
  });
}

/** A name for a table, as the server takes it. */
function nameOf(file: string): string {
  const words = file.replace(/(\.[A-Za-z0-9]{1,8}){1,2}$/, "").replace(/[^A-Za-z0-9_]+/g, "_").slice(0, 100);
  return /^[A-Za-z]/.test(words) ? words : `t_${words}`;
}
