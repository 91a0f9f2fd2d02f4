// An engine thread in a process of its own: a driver that crashes takes only it along. Answers the tasks of childThread.ts.
import { EngineThread } from "../../kernel/lib/host/engineThread.js";

const thread = new EngineThread();
process.on("message", ({ id, task }) => {
  thread.ask(task).then(
    (reply) => process.send({ id, reply }),
    (error) => process.send({ id, message: error.message }),
  );
});
