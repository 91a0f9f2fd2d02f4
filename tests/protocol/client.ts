import { createHmac, randomUUID } from "node:crypto";
import { Dealer, Request, Subscriber } from "zeromq";
import { KernelProcess, type Json, type KernelOptions } from "./kernelProcess.js";

export { KernelProcess, kernelProgram, makeConnection, nodes, preferredNode, type Json } from "./kernelProcess.js";

/** A message as a client sees it. */
export interface Message {
  readonly channel: "shell" | "control" | "stdin" | "iopub";
  readonly type: string;
  readonly header: Json;
  readonly parent: Json;
  readonly metadata: Json;
  readonly content: Json;
  readonly buffers: readonly Uint8Array[];
}

const delimiter = Buffer.from("<IDS|MSG>");
/** What has not come by then never comes; far beyond what a busy machine needs. */
const hangMs = 90_000;

/** One client of a kernel. */
export class Client {
  readonly session: string = randomUUID();
  readonly messages: Message[] = [];
  private readonly waiting = new Set<() => void>();
  private readonly sockets;
  private readonly identity = randomUUID();

  constructor(readonly connection: Json) {
    const address = (port: string): string =>
      connection["transport"] === "ipc"
        ? `ipc://${String(connection["ip"])}-${String(connection[port])}`
        : `tcp://${String(connection["ip"])}:${String(connection[port])}`;
    const dealer = (port: string): Dealer => {
      const socket = new Dealer({ routingId: this.identity, linger: 0, sendHighWaterMark: 0, receiveHighWaterMark: 0 });
      socket.connect(address(port));
      return socket;
    };
    const iopub = new Subscriber({ linger: 0, receiveHighWaterMark: 0 });
    iopub.connect(address("iopub_port"));
    iopub.subscribe("");
    const heartbeat = new Request({ linger: 0, receiveTimeout: hangMs, relaxed: true, correlate: true });
    heartbeat.connect(address("hb_port"));
    this.sockets = {
      shell: dealer("shell_port"),
      control: dealer("control_port"),
      stdin: dealer("stdin_port"),
      iopub,
      heartbeat,
    };
    for (const channel of ["shell", "control", "stdin", "iopub"] as const) void this.listen(channel);
  }

  private async listen(channel: "shell" | "control" | "stdin" | "iopub"): Promise<void> {
    const socket = this.sockets[channel];
    while (!socket.closed) {
      const frames = await socket.receive().catch(() => undefined);
      if (!frames) return;
      const at = frames.findIndex((frame) => delimiter.equals(frame));
      const [signature, header, parent, metadata, content, ...buffers] = frames.slice(at + 1) as Buffer[];
      if (!signature || !header || !parent || !metadata || !content) throw new Error("client: a message lacks frames");
      if (signature.toString() !== this.sign([header, parent, metadata, content]))
        throw new Error("client: wrong signature");
      const json = (frame: Buffer): Json => JSON.parse(frame.toString()) as Json;
      const head = json(header);
      this.messages.push({
        channel,
        type: String(head["msg_type"]),
        header: head,
        parent: json(parent),
        metadata: json(metadata),
        content: json(content),
        buffers,
      });
      for (const check of this.waiting) check();
    }
  }

  private sign(parts: readonly Uint8Array[]): string {
    const key = String(this.connection["key"]);
    if (key === "") return "";
    const hmac = createHmac("sha256", key);
    for (const part of parts) hmac.update(part);
    return hmac.digest("hex");
  }

  /** The frames of a request, ready to be sent, or spoilt first. */
  frames(
    type: string,
    content: unknown,
    buffers: readonly Uint8Array[] = [],
    metadata: Json = {},
  ): { id: string; frames: Buffer[] } {
    const id = randomUUID();
    const header = {
      msg_id: id,
      msg_type: type,
      session: this.session,
      username: "test",
      date: new Date().toISOString(),
      version: "5.3",
    };
    const parts = [header, {}, metadata, content].map((part) => Buffer.from(JSON.stringify(part)));
    return {
      id,
      frames: [delimiter, Buffer.from(this.sign(parts)), ...parts, ...buffers.map((buffer) => Buffer.from(buffer))],
    };
  }

  async sendFrames(channel: "shell" | "control" | "stdin", frames: Uint8Array[]): Promise<void> {
    await this.sockets[channel].send(frames);
  }

  /** Sends a message and gives its id. */
  async send(
    type: string,
    content: unknown,
    {
      channel = "shell",
      buffers = [],
    }: { channel?: "shell" | "control" | "stdin"; buffers?: readonly Uint8Array[] } = {},
  ): Promise<string> {
    const { id, frames } = this.frames(type, content, buffers);
    await this.sendFrames(channel, frames);
    return id;
  }

  /** The first message, past or to come, that `test` accepts. */
  async until(test: (message: Message) => boolean, timeoutMs = hangMs, what = "a message"): Promise<Message> {
    let seen = 0;
    const look = (): Message | undefined => {
      for (; seen < this.messages.length; seen++) {
        const message = this.messages[seen];
        if (message && test(message)) return message;
      }
      return undefined;
    };
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const found = look();
        if (!found) return;
        clearTimeout(timer);
        this.waiting.delete(check);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.waiting.delete(check);
        const tail = this.messages
          .slice(-8)
          .map(({ channel, type, content }) => `${channel} ${type} ${JSON.stringify(content).slice(0, 200)}`);
        reject(new Error(`client: no ${what} within ${timeoutMs} ms; last seen:\n${tail.join("\n")}`));
      }, timeoutMs);
      this.waiting.add(check);
      check();
    });
  }

  /** Messages caused by a request. */
  of(id: string): Message[] {
    return this.messages.filter(({ parent }) => parent["msg_id"] === id);
  }

  /** Waits for the reply to a request. */
  reply(id: string, timeoutMs?: number): Promise<Message> {
    return this.until(
      ({ channel, parent }) => (channel === "shell" || channel === "control") && parent["msg_id"] === id,
      timeoutMs,
      "reply",
    );
  }

  /** Waits until the kernel is idle again after a request. */
  idle(id: string, timeoutMs?: number): Promise<Message> {
    return this.until(
      ({ type, parent, content }) =>
        type === "status" && parent["msg_id"] === id && content["execution_state"] === "idle",
      timeoutMs,
      "idle",
    );
  }

  /** Waits until the cell of an `execute_request` has begun. */
  running(id: string): Promise<Message> {
    return this.until(
      ({ type, parent }) => type === "execute_input" && parent["msg_id"] === id,
      undefined,
      "execute_input",
    );
  }

  /** Whether a request has its reply already. */
  hasReplied(id: string): boolean {
    return this.of(id).some(({ channel }) => channel === "shell" || channel === "control");
  }

  /** Waits until a cell has written `text` and a line break. */
  printed(id: string, text: string): Promise<Message> {
    return this.until(
      ({ type, parent, content }) =>
        type === "stream" && parent["msg_id"] === id && String(content["text"]).includes(`${text}\n`),
      undefined,
      `output "${text}"`,
    );
  }

  /** The stop button. */
  interrupt(): Promise<Message> {
    return this.request("interrupt_request", {}, { channel: "control" });
  }

  async request(
    type: string,
    content: unknown,
    options: { channel?: "shell" | "control"; timeoutMs?: number } = {},
  ): Promise<Message> {
    const id = await this.send(type, content, options);
    const reply = await this.reply(id, options.timeoutMs);
    await this.idle(id, options.timeoutMs);
    return reply;
  }

  /** Sends an `execute_request` without waiting. */
  start(code: string, content: Json = {}): Promise<string> {
    return this.send("execute_request", {
      code,
      silent: false,
      store_history: true,
      user_expressions: {},
      allow_stdin: false,
      stop_on_error: true,
      ...content,
    });
  }

  /** Runs a cell to its idle status. */
  async execute(code: string, content: Json = {}, timeoutMs?: number): Promise<Execution> {
    const id = await this.start(code, content);
    const reply = await this.reply(id, timeoutMs);
    await this.idle(id, timeoutMs);
    return new Execution(
      reply,
      this.of(id).filter(({ channel }) => channel === "iopub"),
    );
  }

  /** Waits until the kernel answers; call it before anything else. */
  async ready(): Promise<this> {
    await this.until(({ type }) => type === "iopub_welcome", hangMs, "iopub_welcome");
    const id = await this.send("kernel_info_request", {});
    await this.reply(id);
    return this;
  }

  /** Waits for the answer to a heartbeat; throws when none comes. */
  async beat(): Promise<void> {
    await this.sockets.heartbeat.send("beat");
    await this.sockets.heartbeat.receive();
  }

  close(): void {
    for (const socket of Object.values(this.sockets)) socket.close();
  }
}

/** What one cell produced. */
export class Execution {
  constructor(
    readonly reply: Message,
    readonly outputs: readonly Message[],
  ) {}

  get status(): unknown {
    return this.reply.content["status"];
  }

  text(name: "stdout" | "stderr" = "stdout"): string {
    return this.all("stream")
      .filter(({ content }) => content["name"] === name)
      .map(({ content }) => String(content["text"]))
      .join("");
  }

  all(type: string): Message[] {
    return this.outputs.filter((message) => message.type === type);
  }

  /** The text of the cell's value. */
  get result(): unknown {
    const data = this.all("execute_result")[0]?.content["data"] as Json | undefined;
    return data?.["text/plain"];
  }
}

/** A kernel and one client, for a block of tests. */
export async function startKernel(
  options: KernelOptions = {},
): Promise<{ readonly kernel: KernelProcess; readonly client: Client; readonly stop: () => Promise<void> }> {
  const kernel = await KernelProcess.start(options);
  const client = await new Client(kernel.connection).ready().catch(async (error: unknown) => {
    await kernel.kill();
    throw new Error(`${String(error)}\nthe kernel said: ${kernel.stderr}`);
  });
  return {
    kernel,
    client,
    async stop() {
      client.close();
      await kernel.kill();
    },
  };
}
