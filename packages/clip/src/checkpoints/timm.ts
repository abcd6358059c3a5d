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

/** Those of the towers that were first built with the exact GELU; all later ones have the approximation by tanh. */
const EXACT = new Set([
  'vit_base_patch16_siglip_224',
  'vit_base_patch16_siglip_256',
  'vit_base_patch16_siglip_384',
  'vit_base_patch16_siglip_512',
  'vit_large_patch16_siglip_256',
  'vit_large_patch16_siglip_384',
  'vit_so400m_patch14_siglip_224',
  'vit_so400m_patch14_siglip_378',
  'vit_so400m_patch14_siglip_384',
]);

/** The tower of a name such as `vit_base_patch16_siglip_224`, or null for another kind. */
export function timmVit(name: string): (TimmVit & { patchSize: number; exact: boolean }) | null {
  const [, size = '', patch] = /^vit_([a-z0-9]+)_patch(\d+)_siglip_\d+$/.exec(name) ?? [];
  const vit = VITS[size];
  return vit ? { ...vit, patchSize: Number(patch), exact: EXACT.has(name) } : null;
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
  if (!found || height !== width) return null;
  const name = `vit_${found[0]}_patch${patchSize}_siglip_${height}`;
  return EXACT.has(name) === (activation === 'gelu') ? name : null;
}
