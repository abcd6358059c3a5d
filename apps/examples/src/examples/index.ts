import type { Example } from '../example';
import { attentionMap } from './attention-map';
import { clip } from './clip';
import { g2p } from './g2p';
import { gan } from './gan';
import { translateToy } from './translate-toy';

/** Every example, in the order of `list`. A new one is a file beside this one and a line here. */
export const examples: readonly Example[] = [gan, translateToy, g2p, attentionMap, clip];

/** What `npm start` runs when it is not told. */
export const standardExample = gan.name;
