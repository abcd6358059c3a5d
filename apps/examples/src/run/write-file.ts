import { open, rename, rm } from 'node:fs/promises';

/** Writes a file so that at any moment it is the old one or the new one, whole. */
export async function writeFileWhole(file: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    const handle = await open(temporary, 'w');
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** JSON for people to read. */
export function writeJson(file: string, value: unknown): Promise<void> {
  return writeFileWhole(file, `${JSON.stringify(value, null, 2)}\n`);
}
