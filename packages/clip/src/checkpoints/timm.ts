import type { ResolvedImageTower } from '../config';

/** Sizes of an image tower by the name that timm gives it: open_clip's configurations of SigLIP say only that. */
export interface TimmVit {
  readonly dim: number;
  readonly layers: number;
  readonly heads: number;
  readonly hidden: number;
}

const VITS: Readonly<Record<string, TimmVit>> = {
  base: { dim: 768, layers: 12, heads: 12, hidden: 3072 },
  large: { dim: 1024, layers: 24, heads: 16, hidden: 4096 },
  so400m: { dim: 1152, layers: 27, heads: 16, hidden: 4304 },
  giantopt: { dim: 1536, layers: 40, heads: 16, hidden: 6144 },
};

/** Patch sizes and image sizes of the towers that there are. */
const SIZES: Readonly<Record<string, Readonly<Record<number, readonly number[]>>>> = {
  base: { 16: [224, 256, 384, 512], 32: [256] },
  large: { 16: [256, 384, 512] },
  so400m: { 14: [224, 378, 384], 16: [256, 384, 512] },
  giantopt: { 16: [256, 384] },
};

/** Those with the exact GELU: the first ones. Later ones have the approximation by tanh that SigLIP was trained with. */
const EXACT =
  /^vit_(base_patch16_siglip_(224|256|384|512)|large_patch16_siglip_(256|384)|so400m_patch14_.*)$/;

/** The tower of a name such as `vit_base_patch16_siglip_224`, or null for another kind. */
export function timmVit(name: string): (TimmVit & { patchSize: number; exact: boolean }) | null {
  const [, size = '', patch] = /^vit_([a-z0-9]+)_patch(\d+)_siglip_\d+$/.exec(name) ?? [];
  const vit = VITS[size];
  return vit ? { ...vit, patchSize: Number(patch), exact: EXACT.test(name) } : null;
}

/** The name of a tower, or null where timm has none like it. */
export function timmName({
  dim,
  layers,
  heads,
  hidden,
  patchSize,
  imageSize,
  activation,
}: ResolvedImageTower) {
  const [height, width] = imageSize;
  const found = Object.entries(VITS).find(
    ([, vit]) => vit.dim === dim && vit.layers === layers && vit.heads === heads && vit.hidden === hidden,
  );
  if (!found || height !== width || !SIZES[found[0]]?.[patchSize]?.includes(height)) return null;
  const name = `vit_${found[0]}_patch${patchSize}_siglip_${height}`;
  return EXACT.test(name) === (activation === 'gelu') ? name : null;
}
