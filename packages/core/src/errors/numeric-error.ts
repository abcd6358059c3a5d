import { PoiesisError } from './poiesis-error';

/** A tensor that holds values that are not finite. */
export interface NonFiniteTensor {
  /** Path: `generator.model.0.weight`, `optimizer.exp_avg.head.weight`, `batch.image`. */
  name: string;
  /** `state` is what a stateful object keeps beside a module's own leaves: an optimizer's moments, averages. */
  kind: 'parameter' | 'buffer' | 'state' | 'batch';
  /** How many of its values are NaN, and how many infinite. */
  nan: number;
  infinite: number;
  /** Number of its values. */
  size: number;
}

export interface NumericErrorDetails {
  /** Step as in the events: 1 is the first. */
  step: number;
  /** The tensor that was seen to be bad: the name of the loss, or the path of a tensor of the state. */
  tensor: string;
  /** Its value where it is a loss. */
  value?: number;
  /** Every tensor of the batch and of the state that holds NaN or infinities now. */
  found?: readonly NonFiniteTensor[];
}

/** A loss, or the state that was about to be saved, is not finite: `step 12: loss "generator" is NaN; …`. */
export class NumericError extends PoiesisError {
  readonly step: number;
  readonly tensor: string;
  readonly value: number | undefined;
  readonly found: readonly NonFiniteTensor[];

  constructor({ step, tensor, value, found = [] }: NumericErrorDetails) {
    const what = value === undefined ? `${tensor} is not finite` : `loss "${tensor}" is ${value}`;
    super({ code: 'numeric', message: `step ${step}: ${what}${describe(found)}` });
    this.step = step;
    this.tensor = tensor;
    this.value = value;
    this.found = found;
  }

  static override isInstance(error: unknown): error is NumericError {
    return PoiesisError.isInstance(error) && error.code === 'numeric';
  }
}

function describe(found: readonly NonFiniteTensor[]): string {
  if (found.length === 0) return '';
  const shown = found.slice(0, 3).map(({ name, nan, infinite, size }) => {
    const counts = [nan && `${nan} NaN`, infinite && `${infinite} infinite`].filter(Boolean).join(', ');
    return `${name} (${counts} of ${size})`;
  });
  const rest = found.length - shown.length;
  return `; not finite now: ${shown.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
