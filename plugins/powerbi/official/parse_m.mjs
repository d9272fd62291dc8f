// Reads a JSON list of M expressions from standard input; prints a JSON list of problems, null where an expression is well.
import { readFileSync } from "node:fs";
import PQP from "@microsoft/powerquery-parser";

const problems = [];
for (const text of JSON.parse(readFileSync(0, "utf-8"))) {
  const task = await PQP.TaskUtils.tryLexParse(PQP.DefaultSettings, text);
  problems.push(PQP.TaskUtils.isParseStageOk(task) ? null : String(task.error?.message ?? task.resultKind));
}
console.log(JSON.stringify(problems));
