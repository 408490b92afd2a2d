/** Form name to the chosen or typed values, in the order of the page. */
export type FormValues = { [name: string]: string[] };
export type Answer = string | string[] | { [row: string]: string };
export type Answers = { [key: string]: Answer };

type Control = HTMLInputElement | HTMLTextAreaElement;

function controls(root: Element): Control[] {
  return Array.from(root.querySelectorAll<Control>("input[name], textarea[name]"));
}

function isChoice(control: Control): boolean {
  return control.type === "radio" || control.type === "checkbox";
}

function isChosen(control: Control): boolean {
  return isChoice(control) ? (control as HTMLInputElement).checked : control.value.trim() !== "";
}

/** The values of one field: empty when nothing is chosen or typed. */
export function valuesOf(field: Element): string[] {
  return controls(field).filter(isChosen).map((control) => control.value.trim());
}

export function visibleFields(form: Element): HTMLElement[] {
  const fields = Array.from(form.querySelectorAll<HTMLElement>("[data-field]"));
  return fields.filter((field) => !field.closest("[hidden]"));
}

export function readValues(form: Element): FormValues {
  const values: FormValues = {};
  for (const field of Array.from(form.querySelectorAll<HTMLElement>("[data-field]"))) {
    const chosen = valuesOf(field);
    if (chosen.length) values[field.dataset.field as string] = chosen;
  }
  return values;
}

export function writeValues(form: Element, values: FormValues): void {
  for (const control of controls(form)) {
    const chosen = values[control.name];
    if (!chosen) continue;
    if (isChoice(control)) (control as HTMLInputElement).checked = chosen.includes(control.value);
    else control.value = chosen[0] || "";
    control.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

/** Full-width digits come from Chinese keyboards. */
export function plainNumber(typed: string): string {
  return typed
    .replace(/[\uff0b-\uff19]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xfee0))
    .replace(/\u3002/g, ".")
    .replace(/\s/g, "");
}

/** The answers as the API wants them; hidden and unanswered items are left out. */
export function readAnswers(form: Element): Answers {
  const answers: Answers = {};
  for (const field of visibleFields(form)) {
    const chosen = valuesOf(field);
    if (chosen.length) put(answers, field, chosen);
  }
  return answers;
}

function put(answers: Answers, field: HTMLElement, chosen: string[]): void {
  const first = chosen[0] as string;
  const key = (field.closest("[data-item]") as HTMLElement).dataset.item as string;
  switch (field.dataset.kind) {
    case "matrix": {
      const rows = (answers[key] || {}) as { [row: string]: string };
      rows[(field.dataset.field as string).slice(key.length + 1)] = first;
      answers[key] = rows;
      break;
    }
    case "multiple":
      answers[key] = chosen;
      break;
    case "number":
      answers[key] = plainNumber(first);
      break;
    default:
      answers[key] = first;
  }
}
