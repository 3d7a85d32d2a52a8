// The TypeScript SDK 1.x: 2025-11-25.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { capabilities, carryOut, listening, respond } from "./plan.mjs";

await carryOut(async (door, calls) => {
  const client = new Client({ name: "typescript-1", version: "1" }, { capabilities });
  if (capabilities.elicitation) client.setRequestHandler(ElicitRequestSchema, respond);
  await client.connect(
    door.url ? new StreamableHTTPClientTransport(new URL(door.url)) : new StdioClientTransport(door),
  );
  const { tools } = await client.listTools();
  const results = [];
  for (const { tool, arguments: args } of calls) {
    results.push(await client.callTool({ name: tool, arguments: args }, undefined, listening));
  }
  await client.close();
  return { tools, results };
});
