/** Fill the places {name} of a sentence from the catalogue, which the page carries in its data attributes. */
export function fill(sentence: string | undefined, values: { [name: string]: string | number }): string {
  const put = (place: string, name: string): string => String(name in values ? values[name] : place);
  return (sentence || "").replace(/\{(\w+)\}/g, put);
}
