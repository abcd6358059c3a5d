/** A function's value at a point; its gradient is written to `gradient`. */
export type Objective = (point: Float64Array, gradient: Float64Array) => number;

export interface LbfgsOptions {
  maxIterations: number;
  /** Stops where no entry of the gradient is larger. */
  tolerance: number;
  /** Called between iterations. */
  pause?: () => Promise<void>;
}

const MEMORY = 10;

/**
 * Minimizes a smooth function by limited-memory BFGS (Liu and Nocedal, 1989), in doubles, with a line search that meets
 * the strong Wolfe conditions (Nocedal and Wright, 2006, algorithms 3.5 and 3.6, by bisection). Changes `point`.
 */
export async function lbfgs(
  objective: Objective,
  point: Float64Array,
  { maxIterations, tolerance, pause }: LbfgsOptions,
): Promise<{ value: number; iterations: number; converged: boolean }> {
  const steps: Float64Array[] = [];
  const changes: Float64Array[] = [];
  const gradient = new Float64Array(point.length);
  let value = objective(point, gradient);
  for (let iteration = 0; ; iteration++) {
    const converged = largest(gradient) <= tolerance;
    if (converged || iteration >= maxIterations) return { value, iterations: iteration, converged };
    const direction = descent(gradient, steps, changes);
    const first = steps.length === 0 ? Math.min(1, 1 / norm1(gradient)) : 1;
    const from = point.slice();
    const before = gradient.slice();
    const found = lineSearch(objective, from, value, before, direction, first, point, gradient);
    // Nothing below: as near to the minimum as doubles tell.
    if (found === null) return { value, iterations: iteration, converged: false };
    value = found;
    const step = difference(point, from);
    const change = difference(gradient, before);
    if (dot(step, change) > 1e-300) {
      steps.push(step);
      changes.push(change);
      if (steps.length > MEMORY) {
        steps.shift();
        changes.shift();
      }
    }
    await pause?.();
  }
}

/** Minus the gradient times the inverse Hessian that the last steps suggest (two loops). */
function descent(
  gradient: Float64Array,
  steps: readonly Float64Array[],
  changes: readonly Float64Array[],
): Float64Array {
  const direction = gradient.map((x) => -x);
  const weights: number[] = [];
  for (let i = steps.length - 1; i >= 0; i--) {
    weights[i] = dot(steps[i]!, direction) / dot(steps[i]!, changes[i]!);
    addScaled(direction, changes[i]!, -weights[i]!);
  }
  const [step, change] = [steps.at(-1), changes.at(-1)];
  if (step && change) {
    const scale = dot(step, change) / dot(change, change);
    for (let j = 0; j < direction.length; j++) direction[j] = direction[j]! * scale;
  }
  for (let i = 0; i < steps.length; i++) {
    const back = dot(changes[i]!, direction) / dot(steps[i]!, changes[i]!);
    addScaled(direction, steps[i]!, weights[i]! - back);
  }
  return direction;
}

/** Leaves the point found in `point` and its gradient in `gradient`; null, with both unchanged, where none is lower. */
function lineSearch(
  objective: Objective,
  from: Float64Array,
  value: number,
  gradientThere: Float64Array,
  direction: Float64Array,
  first: number,
  point: Float64Array,
  gradient: Float64Array,
): number | null {
  const slope = dot(gradientThere, direction);
  let [low, high, size] = [0, Number.POSITIVE_INFINITY, first];
  if (slope < 0) {
    for (let tries = 0; tries < 40; tries++) {
      for (let j = 0; j < point.length; j++) point[j] = from[j]! + size * direction[j]!;
      const here = objective(point, gradient);
      const slopeHere = dot(gradient, direction);
      if (!(here <= value + 1e-4 * size * slope)) high = size;
      else if (slopeHere < 0.9 * slope) low = size;
      else if (slopeHere > -0.9 * slope) high = size;
      else return here;
      size = high === Number.POSITIVE_INFINITY ? 2 * size : (low + high) / 2;
    }
    // Rounding keeps the conditions from being met, but the way was down.
    const here = objective(point, gradient);
    if (here < value) return here;
  }
  point.set(from);
  gradient.set(gradientThere);
  return null;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j]! * b[j]!;
  return sum;
}

function addScaled(to: Float64Array, x: Float64Array, scale: number): void {
  for (let j = 0; j < to.length; j++) to[j] = to[j]! + scale * x[j]!;
}

function difference(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((x, j) => x - b[j]!);
}

function largest(a: Float64Array): number {
  return a.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
}

function norm1(a: Float64Array): number {
  return a.reduce((sum, x) => sum + Math.abs(x), 0);
}
