/** A Kaldi model so small that it knows nothing, for the tests of libvosk: four phones, random weights, three words in a loop. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PHONES = 4;
const CEPSTRA = 40;
export const TOY_WORDS = ['照顾', '一下', '公司'];

/** Writes the model's folder in the layout that libvosk reads. */
export function writeToyKaldi(folder: string): void {
  for (const part of ['am', 'conf', 'graph/phones']) mkdirSync(join(folder, part), { recursive: true });
  const put = (name: string, content: string | Buffer) => writeFileSync(join(folder, name), content);
  put(
    'conf/mfcc.conf',
    `--use-energy=false\n--sample-frequency=16000\n--num-mel-bins=${CEPSTRA}\n--num-ceps=${CEPSTRA}\n--low-freq=40\n--high-freq=-200\n`,
  );
  put(
    'conf/model.conf',
    '--min-active=20\n--max-active=200\n--beam=10.0\n--lattice-beam=2.0\n--acoustic-scale=1.0\n--frame-subsampling-factor=3\n--endpoint.silence-phones=1\n--endpoint.rule2.min-trailing-silence=0.5\n',
  );
  put('graph/words.txt', ['<eps>', ...TOY_WORDS].map((word, i) => `${word} ${i}\n`).join(''));
  put('graph/phones/word_boundary.int', '1 nonword\n2 singleton\n3 singleton\n4 singleton\n');
  put('am/final.mdl', acousticModel());
  put('graph/HCLG.fst', graph());
}

/** Kaldi's text form: one emitting state per phone, one affine layer. */
function acousticModel(): string {
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31 - 1) / 2;
  };
  const outputs = 2 * PHONES;
  const tuples = Array.from({ length: PHONES }, (_, p) => `${p + 1} 0 ${2 * p} ${2 * p + 1} \n`).join('');
  const rows = Array.from(
    { length: outputs },
    () => `  ${Array.from({ length: CEPSTRA }, () => random().toFixed(4)).join(' ')}`,
  );
  return [
    '<TransitionModel> \n<Topology> \n<TopologyEntry> \n<ForPhones> \n1 2 3 4 \n</ForPhones> \n',
    '<State> 0 <ForwardPdfClass> 0 <SelfLoopPdfClass> 1 <Transition> 0 0.5 <Transition> 1 0.5 </State> \n<State> 1 </State> \n',
    '</TopologyEntry> \n</Topology> \n',
    `<Tuples> ${PHONES} \n${tuples}</Tuples> \n`,
    `<LogProbs> \n [ 0 ${Array.from({ length: outputs }, () => '-0.6931472').join(' ')} ]\n</LogProbs> \n</TransitionModel> \n`,
    `<Nnet3> \ninput-node name=input dim=${CEPSTRA}\ncomponent-node name=affine component=affine input=input\n`,
    'output-node name=output input=affine objective=linear\n\n<NumComponents> 1 \n',
    `<ComponentName> affine <FixedAffineComponent> <LinearParams>  [\n${rows.join('\n')} ]\n`,
    `<BiasParams>  [ ${Array.from({ length: outputs }, () => '0').join(' ')} ]\n</FixedAffineComponent> \n</Nnet3> \n`,
    '<LeftContext> 0 <RightContext> 0 <Priors>  [ ]\n',
  ].join('');
}

/** The decoding graph in OpenFst's binary form: from the start into each phone and back; the last three give a word. */
function graph(): Buffer {
  const arc = (input: number, output: number, weight: number, next: number) => {
    const bytes = Buffer.alloc(16);
    bytes.writeInt32LE(input, 0);
    bytes.writeInt32LE(output, 4);
    bytes.writeFloatLE(weight, 8);
    bytes.writeInt32LE(next, 12);
    return bytes;
  };
  const phones = Array.from({ length: PHONES }, (_, p) => p);
  const states = [
    phones.map((p) => arc(2 * p + 2, p, p === 0 ? 6 : 1, p + 1)),
    ...phones.map((p) => [arc(2 * p + 1, 0, 0, p + 1), arc(0, 0, 0.5, 0)]),
  ];
  const text = (word: string) => {
    const length = Buffer.alloc(4);
    length.writeInt32LE(word.length);
    return Buffer.concat([length, Buffer.from(word)]);
  };
  const magic = Buffer.alloc(4);
  magic.writeInt32LE(2125659606);
  const head = Buffer.alloc(40);
  head.writeInt32LE(2, 0);
  head.writeInt32LE(0, 4);
  head.writeBigUInt64LE(3n, 8);
  head.writeBigInt64LE(0n, 16);
  head.writeBigInt64LE(BigInt(states.length), 24);
  head.writeBigInt64LE(BigInt(states.flat().length), 32);
  const body = states.map((arcs) => {
    const front = Buffer.alloc(12);
    front.writeFloatLE(0, 0);
    front.writeBigInt64LE(BigInt(arcs.length), 4);
    return Buffer.concat([front, ...arcs]);
  });
  return Buffer.concat([magic, text('vector'), text('standard'), head, ...body]);
}
