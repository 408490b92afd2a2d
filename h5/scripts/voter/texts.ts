/** Fill the places {name} of a sentence from the catalogue, which the page carries in its data attributes. */
export function fill(sentence: string | undefined, values: { [name: string]: string | number }): string {
  return (sentence || "").replace(/\{(\w+)\}/g, (place, name: string) => String(name in values ? values[name] : place));
}
