/// <reference lib="dom" />
/** Small helpers that make elements. */

type Child = Node | string | null | undefined;

/** What an element is made with: properties, `class`, `data` and `on`. */
interface Attributes {
  class?: string;
  on?: Record<string, (event: Event) => void>;
  [property: string]: unknown;
}

/** An element with its children; missing children are left out. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  const { class: className, on = {}, ...properties } = attributes;
  if (className) element.className = className;
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined) continue;
    if (name in element) Object.assign(element, { [name]: value });
    else element.setAttribute(name, String(value));
  }
  for (const [name, listener] of Object.entries(on)) element.addEventListener(name, listener);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** A labeled control. */
export function labeled(label: string, control: HTMLElement, after?: HTMLElement): HTMLElement {
  return make("label", {}, label, control, after);
}

/** Says something in the page's status line. */
export function say(message: string, isBad = false): void {
  const status = document.getElementById("status")!;
  status.textContent = message;
  status.classList.toggle("bad", isBad);
}

/** Says an error. */
export function sayError(error: unknown): void {
  say(error instanceof Error ? error.message : String(error), true);
}
