import type { StepEvent } from '../../train';

/** How fast a run goes now: a mean of the time per step that leans to the recent ones. */
export class Pace {
  #steps = 0;
  #secondsPerStep = 0;

  add({ seconds }: StepEvent): void {
    this.#steps += 1;
    // The first step compiles and allocates: from the second one on, it does not count any more.
    const share = this.#steps <= 2 ? 1 : Math.max(0.05, 1 / (this.#steps - 1));
    this.#secondsPerStep += (seconds - this.#secondsPerStep) * share;
  }

  /** Steps a second, 0 before the first. */
  get rate(): number {
    return this.#secondsPerStep > 0 ? 1 / this.#secondsPerStep : 0;
  }

  /** Seconds that so many steps will take, `undefined` before the first. */
  secondsFor(steps: number): number | undefined {
    return this.#steps > 0 ? steps * this.#secondsPerStep : undefined;
  }
}

/** `0:07`, `12:45`, `3:02:10`. */
export function duration(seconds: number | undefined): string {
  if (seconds === undefined || !Number.isFinite(seconds)) return '–:––';
  const whole = Math.round(seconds);
  const two = (n: number) => String(n).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const head = hours > 0 ? `${hours}:${two(minutes)}` : String(minutes);
  return `${head}:${two(whole % 60)}`;
}

/** `3.42 steps/s`, or `5.1 s/step` for slow ones. */
export function speed(rate: number): string {
  if (rate === 0) return '';
  return rate >= 1 ? `${short(rate, 3)} steps/s` : `${short(1 / rate, 3)} s/step`;
}

/** `discriminator 0.812  generator 1.94`. */
export function numbers(values: Readonly<Record<string, number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${short(value, 4)}`)
    .join('  ');
}

function short(value: number, digits: number): string {
  const text = value.toPrecision(digits);
  if (!text.includes('e')) return text;
  return Math.abs(value) < 1 || Math.abs(value) >= 1e6
    ? Number(text).toExponential(digits - 1)
    : String(Number(text));
}
