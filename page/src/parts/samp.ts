// SAMP: tables and images to TOPCAT, Aladin or DS9 on the reader's own machine (SAMP 1.3, section 5, the Web Profile).
//
// The hub listens at localhost:21012 and asks its user whether this page may speak to it. Nothing is asked of it before
// somebody presses a button; the page is known there while it is open.

const HUB = "http://localhost:21012/";
const PATIENCE_MS = 60_000;

type Value = string | Value[] | { [name: string]: Value };

/** What there is to send: a VOTable or a FITS image, by its address. */
export interface Sent {
  kind: "table" | "image";
  url: string;
  name: string;
}

/** Nobody listens, or the user of the hub does not want us. */
export class SampError extends Error {}

let key: string | null = null;

/** Send it to every client that takes such things; gives how many there are. */
export async function send(what: Sent): Promise<number> {
  const message = messageOf(what);
  const mine = await registered();
  try {
    const takers = await call("samp.webhub.getSubscribedClients", [mine, message["samp.mtype"] as string]);
    const number = Object.keys(takers as object).length;
    if (number) await call("samp.webhub.notifyAll", [mine, message]);
    return number;
  } catch (error) {
    key = null; // the hub may have been started anew
    throw error;
  }
}

function messageOf({ kind, url, name }: Sent): { [name: string]: Value } {
  const id = `${kind}-${url}`;
  return kind === "table"
    ? { "samp.mtype": "table.load.votable", "samp.params": { url, "table-id": id, name } }
    : { "samp.mtype": "image.load.fits", "samp.params": { url, "image-id": id, name } };
}

/** The key under which the hub knows this page; it is asked for once. */
async function registered(): Promise<string> {
  if (key !== null) return key;
  const answer = (await call("samp.webhub.register", [{ "samp.name": document.title || "skydex" }])) as { [name: string]: Value };
  key = String(answer["samp.private-key"] ?? "");
  if (!key) throw new SampError("The hub did not let this page in.");
  const mine = key;
  addEventListener("pagehide", () => {
    void fetch(HUB, { method: "POST", body: written("samp.webhub.unregister", [mine]), headers: XML, keepalive: true }).catch(() => {});
    key = null;
  });
  await call("samp.webhub.declareMetadata", [mine, { "samp.name": document.title || "skydex", "samp.description.text": location.origin }]);
  return mine;
}

const XML = { "content-type": "text/xml" };

async function call(method: string, values: Value[]): Promise<Value> {
  let reply: Response;
  try {
    reply = await fetch(HUB, { method: "POST", body: written(method, values), headers: XML, signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch {
    throw new SampError("No SAMP hub listens on this machine: start TOPCAT, Aladin or another hub first, and allow this page there.");
  }
  const answer = new DOMParser().parseFromString(await reply.text(), "text/xml");
  const fault = answer.querySelector("methodResponse > fault > value");
  if (fault) throw new SampError(`The hub refuses: ${String((read(fault) as { [name: string]: Value }).faultString ?? "")}`);
  const value = answer.querySelector("methodResponse > params > param > value");
  return value ? read(value) : "";
}

/** XML-RPC of what SAMP has: texts, lists and maps. */
function written(method: string, values: Value[]): string {
  const params = values.map((value) => `<param>${element(value)}</param>`).join("");
  return `<?xml version="1.0"?><methodCall><methodName>${method}</methodName><params>${params}</params></methodCall>`;
}

function element(value: Value): string {
  if (typeof value === "string") return `<value><string>${escaped(value)}</string></value>`;
  if (Array.isArray(value)) return `<value><array><data>${value.map(element).join("")}</data></array></value>`;
  const members = Object.entries(value).map(([name, one]) => `<member><name>${escaped(name)}</name>${element(one)}</member>`);
  return `<value><struct>${members.join("")}</struct></value>`;
}

function escaped(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

function read(value: Element): Value {
  const inner = value.firstElementChild;
  if (inner?.tagName === "struct") {
    return Object.fromEntries(
      [...inner.children].map((member) => [member.querySelector(":scope > name")?.textContent ?? "", read(member.querySelector(":scope > value")!)]),
    );
  }
  if (inner?.tagName === "array") return [...inner.querySelectorAll(":scope > data > value")].map(read);
  return value.textContent ?? "";
}

/** A button that sends; what comes of it is said beside it. */
export function addSampButton(place: HTMLElement): void {
  const { samp, url, name } = place.dataset;
  if (!url || (samp !== "table" && samp !== "image")) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "small-button";
  button.textContent = "Send by SAMP";
  button.title = "To TOPCAT, Aladin or DS9, by SAMP";
  button.setAttribute("aria-label", `Send by SAMP: ${name ?? "it"}`);
  const told = document.createElement("span");
  told.className = "soft";
  told.setAttribute("role", "status");
  button.addEventListener("click", async () => {
    button.disabled = true;
    told.textContent = " asking the hub…";
    try {
      const number = await send({ kind: samp, url: new URL(url, location.href).href, name: name ?? "" });
      told.textContent = number ? ` sent to ${number} program${number === 1 ? "" : "s"}` : ` no program there takes ${samp}s`;
    } catch (error) {
      told.textContent = ` ${error instanceof Error ? error.message : String(error)}`;
    }
    button.disabled = false;
  });
  place.replaceChildren(button, told);
}
