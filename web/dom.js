/** Elements out of names and texts. Text only ever becomes text: sources and answers are not to be trusted. */

/**
 * @param {string} name A tag, with classes if any: `"span.badge"`.
 * @param {Record<string, any>} properties Properties of the element; `data` and `aria` are maps of attributes.
 * @param {...(Node | string)} children
 * @returns {any}
 */
export function element(name, { data = {}, aria = {}, ...properties } = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const made = Object.assign(document.createElement(tag), properties);
  made.classList.add(...classes);
  Object.assign(made.dataset, data);
  for (const [key, value] of Object.entries(aria)) made.setAttribute(`aria-${key}`, value);
  made.append(...children);
  return made;
}

/** @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);

/** Fill and show, or with nothing to show, empty and hide.
 * @param {HTMLElement} place @param {...(Node | string)} children */
export function show(place, ...children) {
  place.replaceChildren(...children);
  place.hidden = children.length === 0;
}
