import { type Conv2d, checkArgument, linear } from '@poiesis/core';
import * as tf from '@tensorflow/tfjs-core';

/**
 * Pictures cut into squares: `[batch, height, width, 3]` → `[batch, patches, size · size · 3]`, row by row.
 * @throws ArgumentError where `size` does not divide both sides.
 */
export function imagePatches(pixels: tf.Tensor4D, size: number): tf.Tensor3D {
  const [batch, height, width, channels] = pixels.shape;
  const whole = height % size === 0 && width % size === 0;
  checkArgument(whole, 'imagePatches', 'pixels', `sides that are multiples of ${size}`, pixels.shape);
  const [rows, columns] = [height / size, width / size];
  return tf.tidy(() => {
    const strips = tf.reshape(pixels, [batch * rows, size, columns, size * channels]); // (B·R, p, C, p·3)
    const squares = tf.transpose(strips, [0, 2, 1, 3]); // (B·R, C, p, p·3)
    return tf.reshape(squares, [batch, rows * columns, size * size * channels]); // (B, R·C, p·p·3)
  });
}

/**
 * A convolution whose stride is its kernel, as the matrix product that it is: `[batch, patches, dim]`. Pixels at the
 * right and at the bottom that fill no patch are left out.
 */
export function embedPatches(pixels: tf.Tensor4D, conv: Conv2d, size: number): tf.Tensor3D {
  const [dim, [, height, width]] = [conv.weight.shape[3], pixels.shape];
  const [tall, wide] = [height - (height % size), width - (width % size)];
  return tf.tidy(() => {
    const whole =
      tall < height || wide < width ? tf.slice(pixels, [0, 0, 0, 0], [-1, tall, wide, -1]) : pixels;
    const kernel = tf.transpose(tf.reshape(conv.weight, [-1, dim])); // (D, p·p·3)
    return linear(imagePatches(whole, size), kernel, conv.bias) as tf.Tensor3D;
  });
}

/** Demands pictures of the tower's size: `[batch, height, width, 3]`, float32. */
export function checkPixels(fn: string, pixels: tf.Tensor, size: readonly [number, number]): void {
  const [height, width] = size;
  const layout = `float32 [batch, ${height}, ${width}, 3]`;
  const fits =
    pixels.rank === 4 && pixels.shape[1] === height && pixels.shape[2] === width && pixels.shape[3] === 3;
  checkArgument(fits, fn, 'pixels', layout, pixels.shape);
  checkArgument(pixels.size > 0, fn, 'pixels', `${layout} with at least one picture`, pixels.shape);
  checkArgument(pixels.dtype === 'float32', fn, 'pixels', layout, `type ${pixels.dtype}`);
}
