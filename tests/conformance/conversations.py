"""What the fixture's interactive operations do, by path (the tools are named in gateway.yaml)."""

import base64
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from tests.conformance.envelope import (
    Call,
    Conversation,
    Line,
    ask,
    ask_model,
    ask_roots,
    ask_user,
    log,
    progress,
    result,
    say,
    work,
)

PIXEL = Path(__file__).with_name("pixel.png").read_bytes()
_TEXT = {"type": "string"}
_CONSENT = ask_user("Please confirm.", ok={"type": "boolean"})
_NAME = ask_user("What is your name?", name=_TEXT)
_DEFAULTS = ask_user(
    "Please review this.",
    name={"type": "string", "default": "John Doe"},
    age={"type": "integer", "default": 30},
    score={"type": "number", "default": 95.5},
    status={"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
    verified={"type": "boolean", "default": True},
)


def _titled(*titles: str) -> list[Mapping[str, str]]:
    return [{"const": f"value{n}", "title": title} for n, title in enumerate(titles, 1)]


_OPTIONS = {"type": "string", "enum": ["option1", "option2", "option3"]}
_CHOICES = ask_user(
    "Please choose.",
    untitledSingle=_OPTIONS,
    titledSingle={"type": "string", "oneOf": _titled("First", "Second", "Third")},
    legacyEnum={
        "type": "string",
        "enum": ["opt1", "opt2", "opt3"],
        "enumNames": ["Option One", "Option Two", "Option Three"],
    },
    untitledMulti={"type": "array", "items": _OPTIONS},
    titledMulti={"type": "array", "items": {"anyOf": _titled("First", "Second", "Third")}},
)


async def _embed(_: Call) -> AsyncIterator[Line]:
    yield result(
        {
            "type": "resource",
            "resource": {
                "uri": "test://embedded-resource",
                "mimeType": "text/plain",
                "text": "This is an embedded resource.",
            },
        }
    )


async def _mix(_: Call) -> AsyncIterator[Line]:
    resource = {
        "uri": "test://mixed-content-resource",
        "mimeType": "application/json",
        "text": '{"test":"data","value":123}',
    }
    yield result(
        {"type": "text", "text": "Several types of content:"},
        {"type": "image", "data": base64.b64encode(PIXEL).decode(), "mimeType": "image/png"},
        {"type": "resource", "resource": resource},
    )


async def _report_progress(_: Call) -> AsyncIterator[Line]:
    yield progress(0, total=100)
    await work()
    yield progress(50, total=100)
    await work()
    yield progress(100, total=100)
    yield say("Done.")


async def _log(_: Call) -> AsyncIterator[Line]:
    yield log("Tool execution started")
    await work()
    yield log("Tool processing data")
    await work()
    yield log("Tool execution completed")
    yield say("Done.")


async def _log_once(_: Call) -> AsyncIterator[Line]:
    yield log("This line is for those who asked for it.")
    yield say("Done.")


async def _sample(call: Call) -> AsyncIterator[Line]:
    answer = call.responses.get("answer")
    if answer is None:
        yield ask({"answer": ask_model(str(call.body["prompt"]))})
    else:
        yield say(f"LLM response: {json.dumps(answer.get('content'))}")


async def _elicit(call: Call) -> AsyncIterator[Line]:
    question = ask_user(
        str(call.body["message"]),
        username={"type": "string", "description": "User's response"},
        email={"type": "string", "description": "User's email address"},
    )
    yield _told(call) or ask({"answer": question})


async def _elicit_defaults(call: Call) -> AsyncIterator[Line]:
    yield _told(call) or ask({"answer": _DEFAULTS})


async def _elicit_choices(call: Call) -> AsyncIterator[Line]:
    yield _told(call) or ask({"answer": _CHOICES})


def _told(call: Call) -> Line | None:
    content = call.content("answer")
    return None if content is None else say(f"User response: {json.dumps(content)}")


async def _need_model(call: Call) -> AsyncIterator[Line]:
    yield say("Thank you.") if call.responses else ask({"answer": ask_model("Anything.")})


async def _report_then_ask(call: Call) -> AsyncIterator[Line]:
    yield progress(1, total=2)
    yield _told(call) or ask({"answer": _NAME})


async def _greet(call: Call) -> AsyncIterator[Line]:
    content = call.content("user_name")
    if content is None:
        yield ask({"user_name": _NAME})
    else:
        yield say(f"Hello, {content.get('name', 'whoever you are')}!")


async def _ask_for_capital(call: Call) -> AsyncIterator[Line]:
    answer = call.responses.get("capital_question")
    if answer is None:
        yield ask({"capital_question": ask_model("What is the capital of France?")})
    else:
        yield say(f"LLM response: {json.dumps(answer.get('content'))}")


async def _name_roots(call: Call) -> AsyncIterator[Line]:
    answer = call.responses.get("client_roots")
    if answer is None:
        yield ask({"client_roots": ask_roots()})
    else:
        yield say(f"Roots: {json.dumps(answer.get('roots'))}")


async def _keep_state(call: Call) -> AsyncIterator[Line]:
    if call.state == {"asked": "confirm"} and call.content("confirm") is not None:
        yield say("state-ok")
    else:
        yield ask({"confirm": _CONSENT}, state={"asked": "confirm"})


async def _ask_everyone(call: Call) -> AsyncIterator[Line]:
    questions = {
        "user_name": _NAME,
        "greeting": ask_model("Generate a greeting.", max_tokens=50),
        "client_roots": ask_roots(),
    }
    if questions.keys() <= call.responses.keys():
        yield say("All questions were answered.")
    else:
        yield ask(questions, state={"asked": sorted(questions)})


async def _ask_twice(call: Call) -> AsyncIterator[Line]:
    match call.state:
        case {"name": name} if (color := call.content("step2")) is not None:
            yield say(f"{name} likes {color.get('color')}.")
        case {"step": 1} if (name := call.content("step1")) is not None:
            question = ask_user("Step 2: what is your favourite colour?", color=_TEXT)
            yield ask({"step2": question}, state={"name": name.get("name")})
        case _:
            question = ask_user("Step 1: what is your name?", name=_TEXT)
            yield ask({"step1": question}, state={"step": 1})


async def _ask_whom_it_can(call: Call) -> AsyncIterator[Line]:
    if call.responses:
        yield say(f"Answered: {', '.join(sorted(call.responses))}.")
    else:
        model = ask_model("What is the capital of France?")
        yield ask({"name": {**_NAME, "optional": True}, "capital": {**model, "optional": True}})


async def _word_prompt(call: Call) -> AsyncIterator[Line]:
    content = call.content("user_context")
    if content is None:
        question = ask_user("What is the prompt to be about?", context=_TEXT)
        yield ask({"user_context": question})
    else:
        yield say(f"Use this context: {content.get('context', 'none')}")


CONVERSATIONS: Mapping[str, Conversation] = {
    "/embedded-resource": _embed,
    "/multiple-content-types": _mix,
    "/progress": _report_progress,
    "/logging": _log,
    "/logging-at-once": _log_once,
    "/sampling": _sample,
    "/elicitation": _elicit,
    "/elicitation-defaults": _elicit_defaults,
    "/elicitation-enums": _elicit_choices,
    "/missing-capability": _need_model,
    "/streaming-elicitation": _report_then_ask,
    "/input-required/elicitation": _greet,
    "/input-required/sampling": _ask_for_capital,
    "/input-required/roots": _name_roots,
    "/input-required/state": _keep_state,
    "/input-required/tampered-state": _keep_state,
    "/input-required/multiple": _ask_everyone,
    "/input-required/rounds": _ask_twice,
    "/input-required/capabilities": _ask_whom_it_can,
    "/input-required/prompt": _word_prompt,
}
