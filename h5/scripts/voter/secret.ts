const SECRET_BYTES = 24;

export function canMakeSecrets(): boolean {
  return Boolean(window.crypto && window.crypto.getRandomValues);
}

/** The retry key of one ballot: 32 base64url characters, more than the 22 that the contract asks for. */
export function newSecret(): string {
  const bytes = window.crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  const text = btoa(String.fromCharCode(...Array.from(bytes)));
  return text.replace(/\+/g, "-").replace(/\//g, "_");
}
