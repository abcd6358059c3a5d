/** Tells the program that opened this page what `work` results in, or the error that it ends in. */
export async function tell(work: () => Promise<object>): Promise<void> {
  let result: object;
  try {
    result = await work();
  } catch (error) {
    result = { error: error instanceof Error ? `${error.message}\n${error.stack}` : String(error) };
  }
  await fetch('/result', { method: 'POST', body: JSON.stringify(result) });
}
