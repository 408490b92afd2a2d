import { plainNumber, valuesOf, visibleFields } from "./answers";
import { fill } from "./texts";

export interface FieldError {
  name: string;
  message: string;
}

/** The sentences for what is wrong, as the form carries them. */
type Sentences = DOMStringMap;

/** What the person has to mend before sending; the service checks again and knows more. */
export function checkAnswers(form: Element, sentences: Sentences): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of visibleFields(form)) {
    const message = checkField(field, sentences);
    if (message) errors.push({ name: field.dataset.field as string, message });
  }
  return errors;
}

function checkField(field: HTMLElement, sentences: Sentences): string {
  const values = valuesOf(field);
  const { kind, required, maxChoices } = field.dataset;
  if (!values.length) return required === undefined ? "" : missing(kind, sentences);
  if (kind === "number") return checkNumber(plainNumber(values[0] as string), field.dataset, sentences);
  if (maxChoices && values.length > Number(maxChoices)) return fill(sentences.tooMany, { count: maxChoices });
  return "";
}

function missing(kind: string | undefined, sentences: Sentences): string {
  return (kind === "text" || kind === "number" ? sentences.requiredText : sentences.required) || "";
}

function checkNumber(typed: string, { minimum, maximum }: DOMStringMap, sentences: Sentences): string {
  if (!/^[+-]?\d+(\.\d+)?$/.test(typed)) return sentences.number || "";
  const isTooSmall = minimum !== undefined && Number(typed) < Number(minimum);
  const isTooLarge = maximum !== undefined && Number(typed) > Number(maximum);
  if (!isTooSmall && !isTooLarge) return "";
  return minimum === undefined || maximum === undefined
    ? sentences.number || ""
    : fill(sentences.numberRange, { minimum, maximum });
}
