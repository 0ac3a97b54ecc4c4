/**
 * Run by refusals.ts with the permissions of a task: runs commands of the task one after the other in this
 * process, each as the command line does, and prints a JSON line of what came of each. Arguments: the
 * task's name, and a JSON list of the commands' arguments.
 */
import { runTask, type Task } from "../../cli/command.ts";

/** Thrown in place of ending the process. */
class Exit extends Error {
  constructor(readonly code: number) {
    super(`exit ${code}`);
  }
}

const [name, commands] = Deno.args;
const task = (await import(`../../tasks/${name}.ts`))[`${name}Task`] as Task;
const print = console.log;

let stderr = "";
Deno.exit = (code = 0) => {
  throw new Exit(code);
};
console.log = () => {};
console.error = (...values) => stderr += `${values.join(" ")}\n`;
console.warn = console.error;

for (const args of JSON.parse(commands) as string[][]) {
  stderr = "";
  const code = await runTask(task.spec, task.main, args).then(() => 0, (error) => {
    if (error instanceof Exit) return error.code;
    throw error;
  });
  print(JSON.stringify({ code, stderr }));
}
