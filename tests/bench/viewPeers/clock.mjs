/**
 * Put into every page before its own scripts run. `clock.loaded()`: milliseconds from the start of the navigation to the end of the last
 * frame that changed anything. `clock.react(…)`: milliseconds from each event to the end of the second frame after it, within which all
 * sides answer. Chromium runs without a limit on frames, so that no time is spent waiting for one.
 */
export function clock() {
  const { document, performance, requestAnimationFrame, MessageChannel, MouseEvent, MutationObserver } = globalThis;
  const { PerformanceObserver, PointerEvent } = globalThis;
  const quietMs = 700;
  let last = 0;
  const channel = new MessageChannel();
  const waiting = [];
  channel.port1.onmessage = () => waiting.shift()?.();
  /** The end of the next frame: a message sent from its callback comes after styles, layout and paint. */
  const frameEnd = () =>
    new Promise((resolve) =>
      requestAnimationFrame(() => {
        waiting.push(resolve);
        channel.port2.postMessage(0);
      }),
    );
  const touch = (until) => {
    last = Math.max(last, until);
  };
  new MutationObserver(() => void frameEnd().then(() => touch(performance.now()))).observe(document, {
    ...{ subtree: true, childList: true, attributes: true, characterData: true },
  });
  // Canvases are drawn without changing the document.
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) touch(startTime + duration);
  }).observe({ type: "longtask", buffered: true });

  globalThis.clock = {
    async loaded() {
      do await new Promise((resolve) => setTimeout(resolve, 50));
      while (document.readyState !== "complete" || last === 0 || performance.now() - last < quietMs);
      return last;
    },
    async react(selector, event, count, limitMs) {
      const begun = performance.now();
      const times = [];
      for (let n = 0; n < count && performance.now() - begun < limitMs; n++) {
        const found = [...document.querySelectorAll(selector)];
        const target = found[(n * 5 + 1) % found.length];
        const { left, top, width, height } = target.getBoundingClientRect();
        const at = { clientX: left + ((n * 37.3 + 11) % width), clientY: top + ((n * 19.7 + 23) % height) };
        await frameEnd();
        const start = performance.now();
        const Kind = event.startsWith("pointer") ? PointerEvent : MouseEvent;
        target.dispatchEvent(new Kind(event, { ...at, bubbles: true, relatedTarget: document.body }));
        await frameEnd();
        await frameEnd();
        times.push(performance.now() - start);
      }
      return times;
    },
  };
}
