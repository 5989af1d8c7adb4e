/** The camera: frames one at a time, as fast as they are asked for. */

export type CameraFault = 'cameraDenied' | 'cameraMissing' | 'cameraFailed';

export class CameraError extends Error {
  override readonly name = 'CameraError';

  constructor(readonly fault: CameraFault, message = '') {
    super(message);
  }
}

export class Camera {
  private readonly video = Object.assign(document.createElement('video'), {muted: true, playsInline: true});
  private stream: MediaStream | undefined;
  private facing: 'environment' | 'user' = 'environment';

  get isRunning(): boolean {
    return this.stream !== undefined;
  }

  /** A front camera shows people as in a mirror. */
  get mirror(): boolean {
    const facing = this.stream?.getVideoTracks()[0]?.getSettings().facingMode;
    return (facing ?? this.facing) === 'user';
  }

  /** @param onEnd called when the camera is unplugged or taken away */
  async start(onEnd: () => void): Promise<void> {
    if (!navigator.mediaDevices) throw new CameraError('cameraMissing');
    const video = {facingMode: this.facing, width: {ideal: 1280}, height: {ideal: 720}};
    this.stream = await navigator.mediaDevices.getUserMedia({video, audio: false}).catch((error) => {
      throw asCameraError(error);
    });
    this.stream.getVideoTracks()[0].addEventListener('ended', onEnd);
    this.video.srcObject = this.stream;
    await this.video.play();
  }

  async flip(onEnd: () => void): Promise<void> {
    this.facing = this.facing === 'user' ? 'environment' : 'user';
    this.stop();
    await this.start(onEnd);
  }

  stop(): void {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = undefined;
    this.video.srcObject = null;
  }

  /** The next frame, upright as the browser delivers it; undefined once the camera is stopped. */
  async frame(): Promise<ImageBitmap | undefined> {
    await this.nextFrame();
    return this.isRunning ? createImageBitmap(this.video) : undefined;
  }

  /** Whether there is another camera to flip to. */
  static async hasSeveral(): Promise<boolean> {
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.filter(({kind}) => kind === 'videoinput').length > 1;
  }

  /** Resolves with the next frame, and at the latest after a while, for a camera that was stopped meanwhile. */
  private nextFrame(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, 1000);
      this.video.requestVideoFrameCallback(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

function asCameraError(error: Error): CameraError {
  if (error.name === 'NotAllowedError' || error.name === 'SecurityError') return new CameraError('cameraDenied');
  if (error.name === 'NotFoundError' || error.name === 'OverconstrainedError') return new CameraError('cameraMissing');
  return new CameraError('cameraFailed', error.message);
}
