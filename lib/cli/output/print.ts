/** Prints one JSON object, and waits until it is out: a pipe takes 64 KiB at a time. */
export async function printJson(value: unknown): Promise<void> {
  await print(`${JSON.stringify(value, null, 2)}\n`);
}

/** Prints to stdout. Whoever closes it early, as `head` does, wants no more and gets no error. */
export async function print(text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      if (error.code === 'EPIPE') resolve();
      else reject(error);
    };
    process.stdout.once('error', onError);
    process.stdout.write(text, (error) => {
      if (error) return onError(error);
      process.stdout.off('error', onError);
      resolve();
    });
  });
}
