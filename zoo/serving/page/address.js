/** The page's address: `#model=NAME&text=...` carries the model and the input. */

/** The values in the address, by name. */
export function read() {
  return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
}

/** The address of a model with values; those that are empty are left out. */
export function address(model, values = {}) {
  const fields = Object.entries(values).filter(([, value]) => value !== "" && value !== undefined);
  return `#${new URLSearchParams([["model", model], ...fields])}`;
}

/** Puts values into the address without a new entry in the history. */
export function write(model, values) {
  const wanted = address(model, values);
  if (wanted !== location.hash) history.replaceState(null, "", wanted);
}
