/**
 * Logarithm and normal quantile from +, −, ×, ÷ and sqrt alone, which IEEE 754 defines to the last bit. `Math.log` is
 * not: engines may and do differ, and a draw must not depend on the engine.
 */
const bits = new Float64Array(1);
const words = new Uint32Array(bits.buffer);
const HIGH = new Uint32Array(new Float64Array([1]).buffer)[1] === 0 ? 0 : 1;

/** 2^(1023 − i): the factor that takes a double with the exponent bits i to [1, 2). */
const TO_UNIT = new Float64Array(2047);
for (let i = 1023, up = 1, down = 1; i < TO_UNIT.length; i++, up *= 2, down /= 2) {
  TO_UNIT[i] = down;
  TO_UNIT[2046 - i] = up;
}

/** Natural logarithm of a normal positive double, to within about 1e-15 relative. */
export function exactLog(x: number): number {
  bits[0] = x;
  // x = m · 2^e with m in [√½, √2), where log m = 2 artanh((m − 1) / (m + 1)) converges fast. A product with a power
  // of two is exact, and quicker than writing the exponent bits, which stalls the load that follows.
  const biased = words[HIGH]! >>> 20;
  let exponent = biased - 1023;
  let m = x * TO_UNIT[biased]!;
  if (m > Math.SQRT2) {
    m *= 0.5;
    exponent += 1;
  }
  const s = (m - 1) / (m + 1);
  const t = s * s;
  const series =
    1 +
    t *
      (1 / 3 +
        t *
          (1 / 5 +
            t *
              (1 / 7 +
                t *
                  (1 / 9 +
                    t * (1 / 11 + t * (1 / 13 + t * (1 / 15 + t * (1 / 17 + t * (1 / 19 + t / 21)))))))));
  return exponent * Math.LN2 + 2 * s * series;
}

/**
 * Quantile of the standard normal distribution, `p` in (0, 1), to within about 1e-16 relative.
 * Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution", Applied Statistics 37 (1988), PPND16.
 */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (q >= -0.425 && q <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * horner(CENTRE_NUMERATOR, r)) / horner(CENTRE_DENOMINATOR, r);
  }
  const r = Math.sqrt(-exactLog(q < 0 ? p : 1 - p));
  const tail =
    r <= 5
      ? horner(TAIL_NUMERATOR, r - 1.6) / horner(TAIL_DENOMINATOR, r - 1.6)
      : horner(FAR_NUMERATOR, r - 5) / horner(FAR_DENOMINATOR, r - 5);
  return q < 0 ? -tail : tail;
}

/** The p in [0, ½] with `normalQuantile(p) = z`, for z ≤ 0, by bisection: exact where a power series is not. */
export function lowerNormalTail(z: number): number {
  let low = 0;
  let high = 0.5;
  if (z >= 0) return high;
  for (let i = 0; i < 1100; i++) {
    const middle = (low + high) / 2;
    // Below 1e-300 the logarithm leaves the normal doubles; z is beyond −37 there.
    if (middle === low || middle === high || middle < 1e-300) break;
    if (normalQuantile(middle) < z) low = middle;
    else high = middle;
  }
  return high;
}

function horner(c: readonly number[], x: number): number {
  return (
    ((((((c[7]! * x + c[6]!) * x + c[5]!) * x + c[4]!) * x + c[3]!) * x + c[2]!) * x + c[1]!) * x + c[0]!
  );
}

const CENTRE_NUMERATOR = [
  3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987,
  67265.7709270087, 33430.57558358813, 2509.0809287301227,
];
const CENTRE_DENOMINATOR = [
  1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271,
  28729.085735721943, 5226.495278852854,
];
const TAIL_NUMERATOR = [
  1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684,
  0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
];
const TAIL_DENOMINATOR = [
  1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
  0.0005475938084995345, 1.0507500716444169e-9,
];
const FAR_NUMERATOR = [
  6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
  0.0012426609473880784, 0.000027115555687434876, 2.0103343992922881e-7,
];
const FAR_DENOMINATOR = [
  1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133,
  0.000018463183175100548, 1.421511758316446e-7, 2.0442631033899397e-15,
];
