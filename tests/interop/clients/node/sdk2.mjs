// The TypeScript client 2.x, which asks for the newest revision first: 2026-07-28.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { capabilities, carryOut, listening, respond } from "./plan.mjs";

const OPTIONS = { capabilities, versionNegotiation: { mode: "auto" } };

await carryOut(async (door, calls) => {
  const client = new Client({ name: "typescript-2", version: "1" }, OPTIONS);
  if (capabilities.elicitation) client.setRequestHandler("elicitation/create", respond);
  await client.connect(
    door.url ? new StreamableHTTPClientTransport(new URL(door.url)) : new StdioClientTransport(door),
  );
  const { tools } = await client.listTools();
  const results = [];
  for (const { tool, arguments: args } of calls) {
    results.push(await client.callTool({ name: tool, arguments: args }, listening));
  }
  await client.close();
  return { tools, results };
});
