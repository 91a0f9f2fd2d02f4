import type { CommType, JsonObject } from "./channel.js";

/** The worker's copy of which comms are open: it answers `comm_info_request` while a cell computes. */
export interface CommRegistry {
  /** Follows a message in either direction. */
  follow(type: CommType, content: JsonObject): void;
  /** Content of a `comm_info_reply`. */
  info(target: unknown): JsonObject;
}

export function createCommRegistry(): CommRegistry {
  const targets = new Map<string, string>();
  return {
    follow(type, content) {
      const { comm_id: id, target_name: target } = content;
      if (typeof id !== "string") return;
      if (type === "comm_open" && typeof target === "string") targets.set(id, target);
      if (type === "comm_close") targets.delete(id);
    },
    info(target) {
      const open = [...targets].filter(([, name]) => typeof target !== "string" || target === "" || name === target);
      return { status: "ok", comms: Object.fromEntries(open.map(([id, name]) => [id, { target_name: name }])) };
    },
  };
}

export function isCommType(type: string): type is CommType {
  return type === "comm_open" || type === "comm_msg" || type === "comm_close";
}
