// As ../plan.py, for the clients that run under Node.
import { readFileSync } from "node:fs";

const { door, calls, answer } = JSON.parse(readFileSync(0, "utf8"));
const questions = [];

// What a client has to declare, to do when asked, and to do as a call gets on (see `watch` there).
export const capabilities = answer === null ? {} : { elicitation: {} };
export const listening = answer === null ? {} : { onprogress: () => {} };

export function respond({ params }) {
  questions.push(params.message);
  return { action: "accept", content: answer };
}

// `converse(door, calls)` gives the list of tools, and the results.
export async function carryOut(converse) {
  const { tools, results } = await converse(door, calls);
  const told = {
    tools: tools.map((tool) => tool.name),
    results: results.map(({ isError = false, content }) => ({ is_error: isError, text: textOf(content) })),
    questions,
  };
  process.stdout.write(JSON.stringify(told));
}

function textOf(content) {
  return content.filter(({ type }) => type === "text").map(({ text }) => text).join("\n");
}
