import { pictureFromCanvas } from '@poiesis/clip';
import { tell } from './tell';

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
const base64Of = (bytes: ArrayLike<number>) =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));

await tell(async () => {
  const fixture = await (await fetch('/fixtures/pictures.json')).json();
  const files: Record<string, object> = {};
  for (const [name, { file }] of Object.entries<{ file: string }>(fixture.files)) {
    const { data, ...rest } = await pictureFromCanvas(new File([bytesOf(file)], name));
    files[name] = { ...rest, data: base64Of(data) };
  }
  const damaged = await pictureFromCanvas(new File([bytesOf('bm8gcGljdHVyZQ==')], 'damaged.png')).catch(
    (error: Error) => `${error.name}: ${error.message}`,
  );
  return { files, damaged };
});
