interface Stateful {
  stateDict(): Promise<Readonly<Record<string, { bytes: Uint8Array }>>>;
}

/** What a step's state holds, bit for bit, by owner and name: to compare two of them. */
export async function stateBytes(state: Readonly<Record<string, Stateful>>): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  for (const [owner, stateful] of Object.entries(state)) {
    for (const [name, t] of Object.entries(await stateful.stateDict())) {
      all[`${owner}.${name}`] = Buffer.from(t.bytes).toString('base64');
    }
  }
  return all;
}
