/** On what ONNX Runtime computes: the first of a box's wishes that the installed build has, else the processor. */

export interface ChosenProviders {
  /** For `executionProviders` of a session. */
  readonly providers: readonly string[];
  /** Why it is not the first wish, in plain words. */
  readonly note?: string;
}

/** `wanted`: best first. `supported`: names of `listSupportedBackends()`. */
export function chooseProviders(wanted: readonly string[], supported: readonly string[]): ChosenProviders {
  const [first] = wanted;
  const found = wanted.filter((name) => name !== 'cpu' && supported.includes(name));
  const providers = [...found, 'cpu'];
  if (first === undefined || providers[0] === first) return { providers };
  return {
    providers,
    note: `this build of ONNX Runtime has no ${first}: the detector runs on ${providers[0]} (it has ${supported.join(', ')})`,
  };
}
