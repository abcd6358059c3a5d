import type { DataPackage } from '../data/npm-data';

/** A download of 74 MB, of which the list of emoji and one sheet of pictures (64 pixels each) are kept. */
export const googleData: DataPackage = {
  name: 'emoji-datasource-google',
  version: '16.0.0',
  integrity:
    'sha512-ZRexfzs7MVoLnmzZmNsO4TKhnAJp5D++Vm6PpUpH/jEQQlemp3l88CjZ+DoZ2faM9R4QxZkOPJCoT8DlPhfQ3A==',
  bytes: 77_901_600,
  files: {
    'emoji.json': '1d602e65be88772bf8cc368ce16b855d719eeddbafe128d471b80203f494d29f',
    'img/google/sheets/64.png': '795a0c598d162c9a4aae23f2188c607b8c9bc1912cb7d84382459f8de91a3ae1',
  },
  keep: ['emoji.json', 'img/google/sheets/64.png'],
};

/** The same list with the pictures of Twitter, at the same places of the sheet. */
export const twitterData: DataPackage = {
  name: 'emoji-datasource-twitter',
  version: '16.0.0',
  integrity:
    'sha512-7F+uCuHH+7Qnrc15P5tnbvKkg9E6tlzi4MnT2uW1RlN4pLYTza6cP/dstIfSDMtpjFLWuZewWg8jBbuL2eyELQ==',
  bytes: 65_361_200,
  files: {
    'img/twitter/sheets/64.png': 'daa7711b29897de6bd811a4cfeae911d8d8baa7f7e25c97d9b64354ae425ff5c',
  },
  keep: ['img/twitter/sheets/64.png'],
};

/** Microsoft's Fluent emoji, one WebP file of 256 pixels each. npm checks them all; one stands for them here. */
export const fluentData: DataPackage = {
  name: '@lobehub/fluent-emoji-3d',
  version: '1.1.0',
  integrity:
    'sha512-Wlq2lVStTnr8BDpIJ0pEnTKO4LuDxxqTEhTvRtD1DLRF0me7ogeRQjKoehDHXuVJ2Qaecgl5wRBv60lUAG3h7g==',
  bytes: 17_712_300,
  files: { 'assets/1f600.webp': '434a8af4e1e48ef3a1c2b3a6490f6e96e8fd8d68008fab7ab630d72d7f9f3960' },
  keep: ['assets'],
};

/** Unicode's names and keywords, in all languages; English is used. */
export const cldrData: DataPackage = {
  name: 'cldr-annotations-full',
  version: '48.2.0',
  integrity:
    'sha512-DV7A+rEcgUSNTRsVGNGqBZRmAkGfwhGHO5Q1dRwzBoBnVrHWp804JP7/QJdEc66iHmx3+zLWVIMCFLm0lW7PUQ==',
  bytes: 57_497_100,
  files: {
    'annotations/en/annotations.json': 'f22083cb86dffb63a643d5bacb5d9899f82d2fa5d388ad4f3aed72184acef505',
  },
  keep: ['annotations/en'],
};

/** Further keywords, and names of sequences that CLDR's file lacks. */
export const emojilibData: DataPackage = {
  name: 'emojilib',
  version: '4.0.3',
  integrity:
    'sha512-KbWiYre9aRSaPbHrHZIz9zmoM+21LAsK1VFJtnTh1VCtWE/rNMDviGhQTmselFl95dhqtGlY22iH0leG5BuW0g==',
  bytes: 269_760,
  files: { 'dist/emoji-en-US.json': '7974e9162e1505aa1b02d07a04e4eefa5c51864d6c32e477121c635201e2eca2' },
};
