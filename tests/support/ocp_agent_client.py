"""The OCP Python library as a client: a plan (JSON) on stdin, what happened on stdout.

Runs under .venv-ocp, which `make interop` makes.
"""

import json
import sys

from ocp_agent import APINotFound, OCPAgent, RegistryUnavailable


def tell(agent: OCPAgent, step: dict[str, object]) -> object:
    match step:
        case {"do": "list"}:
            return agent.registry.list_apis()
        case {"do": "search", "text": text}:
            return agent.registry.search_apis(text)
        case {"do": "register", "api": name}:
            return register(agent, name)
        case {"do": "call", "tool": tool, "parameters": parameters}:
            response = agent.call_tool(tool, parameters)
            return {
                "status": response.status_code,
                "headers": {name.lower(): value for name, value in response.headers.items()},
                "body": response.text,
            }


def register(agent: OCPAgent, name: str) -> object:
    try:
        spec = agent.register_api(name)
    except APINotFound as error:
        return {"error": "not found", "suggestions": error.suggestions, "message": str(error)}
    except RegistryUnavailable as error:
        return {"error": "unavailable", "message": str(error)}
    return {
        "title": spec.title,
        "description": spec.description,
        "base_url": spec.base_url,
        "tools": [tool.name for tool in agent.list_tools(name)],
    }


plan = json.load(sys.stdin)
if plan["cache"]:
    agent = OCPAgent(**plan["agent"], registry_url=plan["registry"])
else:
    agent = OCPAgent(**plan["agent"], registry_url=plan["registry"], enable_cache=False)
if plan["context_id"]:
    agent.context.context_id = plan["context_id"]
results = [tell(agent, step) for step in plan["steps"]]
said = {
    "context_id": agent.context.context_id,
    "history": agent.context.history,
    "results": results,
}
json.dump(said, sys.stdout)
