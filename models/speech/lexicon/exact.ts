/** First pass of the lexicon: every exact occurrence of any of many unit sequences in one pass (Aho and Corasick, 1975). */

export interface ExactMatcher {
  /** Indexes of the patterns that end with this unit. */
  push(unit: string): readonly number[];
}

interface Node {
  readonly next: Map<string, number>;
  fail: number;
  ends: number[];
}

/** Work per unit does not depend on the number of patterns. Empty patterns never match. */
export function createExact(patterns: readonly (readonly string[])[]): ExactMatcher {
  const nodes: Node[] = [{ next: new Map(), fail: 0, ends: [] }];
  patterns.forEach((pattern, index) => {
    if (pattern.length === 0) return;
    let at = 0;
    for (const unit of pattern) {
      let to = nodes[at]!.next.get(unit);
      if (to === undefined) {
        to = nodes.push({ next: new Map(), fail: 0, ends: [] }) - 1;
        nodes[at]!.next.set(unit, to);
      }
      at = to;
    }
    nodes[at]!.ends.push(index);
  });
  const step = (from: number, unit: string): number => {
    for (let at = from; ; at = nodes[at]!.fail) {
      const to = nodes[at]!.next.get(unit);
      if (to !== undefined) return to;
      if (at === 0) return 0;
    }
  };
  // Breadth first: a node's fall-back is shorter than the node, so it is ready before.
  const queue = [...nodes[0]!.next.values()];
  for (const at of queue)
    for (const [unit, to] of nodes[at]!.next) {
      nodes[to]!.fail = step(nodes[at]!.fail, unit);
      nodes[to]!.ends = [...nodes[to]!.ends, ...nodes[nodes[to]!.fail]!.ends];
      queue.push(to);
    }
  let state = 0;
  return {
    push(unit) {
      state = step(state, unit);
      return nodes[state]!.ends;
    },
  };
}
