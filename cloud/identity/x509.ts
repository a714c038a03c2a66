/** Loads the X.509 library, which wants metadata reflection to be there before its own first line. */

/** The library asks for the parameters of its own classes only, and those have none. */
const reflection = { getMetadata: () => undefined, getOwnMetadata: () => undefined, defineMetadata: () => undefined };

/** The library; heavy, so it is loaded where it is needed and once. */
export async function loadX509(): Promise<typeof import('@peculiar/x509')> {
  if (!('getMetadata' in Reflect)) Object.assign(Reflect, reflection);
  return import('@peculiar/x509');
}

/** Serial numbers are compared in lower case without leading zeros, however a library writes them. */
export const plainSerial = (serial: string): string => serial.toLowerCase().replace(/^0+(?=.)/, '');
