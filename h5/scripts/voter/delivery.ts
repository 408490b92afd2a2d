import type { Answers } from "./answers";

const TIMEOUT_MS = 20_000;

/** One ballot on its way, as it is kept on the phone. */
export interface Entry {
  page_url: string;
  api_url: string;
  ticket: string;
  secret: string;
  answers: Answers;
  /** Only where one code rates several subjects. */
  organization_code?: string | undefined;
}

export type FieldErrors = { [name: string]: string[] };

export type Outcome =
  | { kind: "delivered"; receipt: string }
  | { kind: "secret_in_use" }
  | { kind: "invalid"; detail: string; errors: FieldErrors }
  | { kind: "rejected"; code: string; detail: string }
  | { kind: "sign_in"; url: string }
  | { kind: "undelivered"; retryAfterSeconds: number };

interface Reply {
  receipt?: unknown;
  code?: unknown;
  detail?: unknown;
  errors?: unknown;
  sign_in_url?: unknown;
}

const TERMINAL = [400, 403, 404, 409, 410, 413];

/**
 * Tell what an answer means. Only our own JSON counts: the log-in page of a foreign network answers
 * with any status, and must neither pass for a success nor erase a ballot.
 */
export function interpret(status: number, body: string, retryAfter: string | null): Outcome {
  const reply = parse(body);
  const code = typeof reply.code === "string" ? reply.code : "";
  const detail = typeof reply.detail === "string" ? reply.detail : "";
  if ((status === 200 || status === 201) && typeof reply.receipt === "string" && reply.receipt) {
    return { kind: "delivered", receipt: reply.receipt };
  }
  if (code === "secret_in_use") return { kind: "secret_in_use" };
  if (status === 422 && code) return { kind: "invalid", detail, errors: fieldErrors(reply.errors) };
  if (status === 401 && typeof reply.sign_in_url === "string") {
    return { kind: "sign_in", url: reply.sign_in_url };
  }
  if (code && TERMINAL.includes(status)) return { kind: "rejected", code, detail };
  return { kind: "undelivered", retryAfterSeconds: Number(retryAfter) || 0 };
}

/** Send once; never fails, a lost connection is an outcome too. */
export function deliver(entry: Entry): Promise<Outcome> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", entry.api_url);
    request.timeout = TIMEOUT_MS;
    request.setRequestHeader("Content-Type", "application/json");
    request.setRequestHeader("Accept", "application/json");
    // It fires after success and after every kind of failure, which has the status 0.
    request.onloadend = () =>
      resolve(interpret(request.status, request.responseText, request.getResponseHeader("Retry-After")));
    const { ticket, secret, answers, organization_code } = entry;
    request.send(JSON.stringify({ ticket, secret, answers, organization_code }));
  });
}

function parse(body: string): Reply {
  try {
    const reply: unknown = JSON.parse(body);
    return reply && typeof reply === "object" ? reply : {};
  } catch {
    return {};
  }
}

function fieldErrors(errors: unknown): FieldErrors {
  const found: FieldErrors = {};
  if (!errors || typeof errors !== "object") return found;
  for (const name of Object.keys(errors)) {
    const sentences: unknown = (errors as { [name: string]: unknown })[name];
    found[name] = (Array.isArray(sentences) ? sentences : [sentences]).map(String);
  }
  return found;
}
