"""What the client programs have in common: a plan (JSON) on stdin, what happened on stdout.

A plan: `{"door": DOOR, "calls": [{"tool", "arguments"}], "answer": CONTENT}`. A door is `{"url"}`,
`{"sse"}` (the URL of the older transport) or `{"command", "args", "env", "cwd"}`. `answer` is what
the user fills in when asked by a form; null: this client lets nobody ask.
"""

import asyncio
import json
import sys


class User:
    """Answers every question alike, and wants to be told how calls get on."""

    def __init__(self, answer):
        self.answer = answer
        self.questions = []

    async def watch(self, progress, total=None, message=None):
        """Keeps nothing: what a client passes on here hangs on its timing, so the wire counts."""


def carry_out(converse):
    """Let `converse(door, calls, user)` carry out the plan; `user` is None where none is to be."""
    plan = json.load(sys.stdin)
    user = None if plan["answer"] is None else User(plan["answer"])
    tools, results = asyncio.run(converse(plan["door"], plan["calls"], user))
    told = {
        "tools": [tool.name for tool in tools],
        "results": [{"is_error": is_error, "text": text} for is_error, text in results],
        "questions": user.questions if user else [],
    }
    json.dump(told, sys.stdout)


def text_of(blocks):
    return "\n".join(block.text for block in blocks if block.type == "text")
