const pollMs = 500;
const initProcess = 1;

/**
 * Calls `orphaned` once when the process that started the kernel is gone.
 *
 * A parent that is the init process from the start never goes, so nothing is watched then.
 */
export function watchParent(orphaned: () => void): void {
  const parent = process.ppid;
  if (parent <= initProcess) return;
  const timer = setInterval(() => {
    if (process.ppid === parent && isAlive(parent)) return;
    clearInterval(timer);
    orphaned();
  }, pollMs);
  timer.unref();
}

/** On Windows the parent's number stays when the parent is gone. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
