// Reads a list of simulations from stdin (iam-simulate's own form) and writes what each comes to.
import { runSimulation } from "@cloud-copilot/iam-simulate";

let text = "";
for await (const piece of process.stdin) text += piece;

const told = [];
for (const simulation of JSON.parse(text)) {
  const answer = await runSimulation(simulation, {});
  told.push({ result: answer.overallResult ?? null, errors: answer.errors ?? null });
}
process.stdout.write(JSON.stringify(told));
