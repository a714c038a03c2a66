import { describe, expect, it } from 'vitest';
import { BOXES } from '../../../../hardware/box/profiles.ts';
import { chooseProviders } from '../../../../models/pose/providers.ts';

describe('what inference runs on', () => {
  it('is the first wish that the runtime has, and the processor behind it', () => {
    expect(chooseProviders(['tensorrt', 'cuda', 'cpu'], ['cpu', 'cuda'])).toEqual({
      providers: ['cuda', 'cpu'],
      note: 'this build of ONNX Runtime has no tensorrt: the detector runs on cuda (it has cpu, cuda)',
    });
    expect(chooseProviders(['openvino', 'cpu'], ['cpu', 'openvino'])).toEqual({ providers: ['openvino', 'cpu'] });
    expect(chooseProviders(['cpu'], ['cpu', 'webgpu'])).toEqual({ providers: ['cpu'] });
  });

  it('is the processor where nothing else is there, and says so', () => {
    const { providers, note } = chooseProviders(['rknn', 'cpu'], ['cpu']);
    expect(providers).toEqual(['cpu']);
    expect(note).toContain('rknn');
    expect(chooseProviders([], ['cpu'])).toEqual({ providers: ['cpu'] });
  });

  it('has the processor as the last wish of every box', () => {
    for (const { runtimes } of Object.values(BOXES)) expect(runtimes.at(-1)).toBe('cpu');
  });
});
