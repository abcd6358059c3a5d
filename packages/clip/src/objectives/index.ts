export { captionGroups } from './caption-groups';
export { infoNCE, oneWayInfoNCE } from './info-nce';
export { type ContrastiveObjective, type ContrastiveOptions, checkGroups } from './objective';
export { sigLIP } from './sig-lip';
