// The inspector's command line: a process, and so a conversation, for each thing to do.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { carryOut } from "./plan.mjs";

// The command it installs under the name of mcp-inspector.
const LAUNCHER = fileURLToPath(new URL("node_modules/.bin/mcp-inspector", import.meta.url));
const run = promisify(execFile);

function whereto(door) {
  if (door.url) return ["--transport", "http", "--", door.url];
  const env = Object.entries(door.env).flatMap(([name, value]) => ["-e", `${name}=${value}`]);
  return [...env, "--cwd", door.cwd, "--", door.command, ...door.args];
}

async function ask(door, ...what) {
  // A result that is an error is printed like any other, and ends the process with 1.
  const { stdout } = await run(process.execPath, [LAUNCHER, "--cli", ...what, ...whereto(door)]).catch(
    (failure) => (failure.stdout ? failure : Promise.reject(failure)),
  );
  return JSON.parse(stdout);
}

await carryOut(async (door, calls) => {
  const { tools } = await ask(door, "--method", "tools/list");
  const results = [];
  for (const { tool, arguments: args } of calls) {
    const given = Object.entries(args).flatMap(([name, value]) => ["--tool-arg", `${name}=${value}`]);
    results.push(await ask(door, "--method", "tools/call", "--tool-name", tool, ...given));
  }
  return { tools, results };
});
