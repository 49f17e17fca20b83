// A table that is dropped on the box of the first page is sent as the form beneath it would send it.

export function mount(place: HTMLElement): void {
  const form = place.querySelector<HTMLFormElement>("form.upload");
  const input = form?.querySelector<HTMLInputElement>("input[type=file]");
  if (!form || !input) return;
  for (const kind of ["dragenter", "dragover"]) {
    place.addEventListener(kind, (event) => {
      if (!(event as DragEvent).dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      place.dataset.over = "";
    });
  }
  place.addEventListener("dragleave", (event) => {
    if (!place.contains((event as DragEvent).relatedTarget as Node | null)) delete place.dataset.over;
  });
  place.addEventListener("drop", (event) => {
    delete place.dataset.over;
    const files = (event as DragEvent).dataTransfer?.files;
    if (!files?.length) return;
    event.preventDefault();
    input.files = files;
    form.requestSubmit();
  });
}
