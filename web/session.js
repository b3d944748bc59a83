/** What a page that is loaded again remembers. Storage may be forbidden: then a reload forgets. */

/** @param {string} name @returns {string | null} */
export function recalled(name) {
  try {
    return sessionStorage.getItem(`groundswell.${name}`);
  } catch {
    return null;
  }
}

/** @param {string} name @param {string} text */
export function remember(name, text) {
  try {
    sessionStorage.setItem(`groundswell.${name}`, text);
  } catch {
    // it holds until the page is left
  }
}
