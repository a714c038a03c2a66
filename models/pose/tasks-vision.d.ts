/** The part of @mediapipe/tasks-vision that is used here: the package's own types need a browser's. */
declare module '@mediapipe/tasks-vision' {
  export interface Landmark {
    readonly x: number;
    readonly y: number;
    readonly visibility: number;
  }
  export class PoseLandmarker {
    static createFromOptions(
      wasm: { wasmLoaderPath: string; wasmBinaryPath: string },
      options: {
        baseOptions: { modelAssetBuffer: Uint8Array; delegate: 'CPU' };
        canvas: object;
        runningMode: 'IMAGE';
        numPoses: number;
        minPoseDetectionConfidence: number;
        minPosePresenceConfidence: number;
      },
    ): Promise<PoseLandmarker>;
    detect(picture: object): { readonly landmarks: readonly (readonly Landmark[])[]; close?(): void };
    close(): void;
  }
}
