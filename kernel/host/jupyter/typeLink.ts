import type { LanguageRequests, TypeFinding } from "./languageRequests.js";
import type { Header, Incoming, JsonObject } from "./wire.js";

/** The target of the comm over which a front end asks for type errors; `extension/src/link/typeLink.ts` is its other end. */
export const typeTarget = "attention-lab.types.v1";

/**
 * Type errors for a front end that underlines them in the cells. It opens the comm; each message
 * `{ seq, code, above }` is answered by `{ seq, findings }`, without the main thread: a cell that computes delays nothing.
 */
export interface TypeLink {
  /** Handles what concerns these comms; false for all others. */
  receive(message: Incoming): boolean;
  /** Whether the client of that session has such a comm. */
  isOpenTo(session: string): boolean;
}

export interface TypeLinkPorts {
  readonly language: Pick<LanguageRequests, "errors">;
  readonly send: (parent: Header, content: JsonObject) => void;
  readonly failed: (error: unknown) => void;
}

export function createTypeLink({ language, send, failed }: TypeLinkPorts): TypeLink {
  /** The sessions that opened the comms, by comm. */
  const open = new Map<string, string>();

  const answer = async (id: string, parent: Header, data: unknown): Promise<void> => {
    const question = asQuestion(data);
    if (!question) return;
    const { seq, code, above } = question;
    const findings: readonly TypeFinding[] = await language.errors(code, { above });
    if (open.has(id)) send(parent, { comm_id: id, data: { seq, findings } });
  };

  return {
    receive({ header, content }) {
      const id = String(content["comm_id"]);
      if (header.msg_type === "comm_open" && content["target_name"] === typeTarget) open.set(id, header.session);
      else if (!open.has(id)) return false;
      else if (header.msg_type === "comm_close") open.delete(id);
      else void answer(id, header, content["data"]).catch(failed);
      return true;
    },
    isOpenTo: (session) => [...open.values()].includes(session),
  };
}

interface Question {
  readonly seq: number;
  readonly code: string;
  readonly above: readonly string[];
}

function asQuestion(data: unknown): Question | undefined {
  const { seq, code, above = [] } = (data ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof seq !== "number" || typeof code !== "string" || !Array.isArray(above)) return undefined;
  return { seq, code, above: above.filter((source): source is string => typeof source === "string") };
}
