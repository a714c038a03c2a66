/** Loads the X.509 library, which wants metadata reflection to be there before its own first line. */

/** The library; heavy, so it is loaded where it is needed and once. */
export async function loadX509(): Promise<typeof import('@peculiar/x509')> {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

/** Serial numbers are compared in lower case without leading zeros, however a library writes them. */
export const plainSerial = (serial: string): string => serial.toLowerCase().replace(/^0+(?=.)/, '');

/** Tag, length and content in DER. */
function der(tag: number, content: Uint8Array): Uint8Array<ArrayBuffer> {
  const size = content.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255];
  return Uint8Array.from([tag, ...length, ...content]);
}

/** Value of the extension that says where a revocation list is published (RFC 5280, 5.2.5): distributionPoint, fullName, one URI. */
export function publishedAt(url: string): { readonly oid: string; readonly value: Uint8Array<ArrayBuffer> } {
  const uri = der(0x86, new TextEncoder().encode(url));
  return { oid: '2.5.29.28', value: der(0x30, der(0xa0, der(0xa0, uri))) };
}
