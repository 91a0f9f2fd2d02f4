/** Reads the bytes that a page holds once its garbage is collected: JavaScript, the document, and buffers. */
export function heapOf(devtools) {
  return async () => {
    for (let time = 0; time < 3; time++) await devtools.send("HeapProfiler.collectGarbage");
    const { usedSize, embedderHeapUsedSize = 0, backingStorageSize = 0 } = await devtools.send("Runtime.getHeapUsage");
    return usedSize + embedderHeapUsedSize + backingStorageSize;
  };
}
