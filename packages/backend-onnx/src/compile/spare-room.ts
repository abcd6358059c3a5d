import type { Room } from '@poiesis/core';

/** Arrays below this size are made anew: that costs less than to look for one. */
const SMALLEST = 4096;
const PAGE = 4096;

/**
 * Room for the host inputs of a step's replays. A dropout mask of megabytes that is made anew at each step costs more in
 * fresh memory and its collection than in random numbers.
 */
export class SpareRoom {
  /** Smallest first. */
  private free: ArrayBuffer[] = [];
  private lent: ArrayBuffer[] = [];

  readonly room: Room = (n) => {
    if (n < SMALLEST) return new Float32Array(n);
    const bytes = 4 * n;
    const at = this.free.findIndex(({ byteLength }) => byteLength >= bytes);
    // Where none is large enough, the largest gives way, so that there are never more than one step uses.
    const [known] = this.free.splice(at, 1);
    const buffer = at >= 0 ? known! : new ArrayBuffer(Math.ceil(bytes / PAGE) * PAGE);
    this.lent.push(buffer);
    return new Float32Array(buffer, 0, n);
  };

  /** What has been lent since the last call. It is lost to whoever uses it, unless it is given back. */
  take(): { giveBack(): void } {
    const { lent } = this;
    this.lent = [];
    return {
      giveBack: () => {
        this.free = [...this.free, ...lent].sort((a, b) => a.byteLength - b.byteLength);
      },
    };
  }
}
