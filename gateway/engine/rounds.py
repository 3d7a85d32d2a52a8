"""A call that asks before it goes on: what its earlier rounds have settled."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from gateway.engine.values import Call
from gateway.errors import InputRequest, InputRequired

Json = Mapping[str, object]

MAX_ROUNDS = 8
"""How often one call may ask, its own questions and the API's together."""


class Stage(StrEnum):
    """Who has asked last. A call comes through them in this order, and through most in none."""

    ARGUMENTS = "arguments"
    CONFIRM = "confirm"
    UPSTREAM = "upstream"


_STAGES = {stage.value: stage for stage in Stage}


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What stands when a round begins.

    `asked`: how often the call has asked. `stage`: who did so last, None in a first round and where
    answers come that nobody asked for. `given`: arguments from earlier rounds. `asking` is the
    digest that the last round asked consent for, `consent` the one that consent was given to.
    `upstream`: what the API wants to have back. `answers`: to the questions of `stage`.
    """

    asked: int = 0
    stage: Stage | None = None
    given: Json = field(default_factory=dict, repr=False)
    asking: str | None = None
    consent: str | None = None
    upstream: object = field(default=None, repr=False)
    answers: Json = field(default_factory=dict, repr=False)

    @property
    def is_cold(self) -> bool:
        """Whether there are answers, and no state that says to what."""
        return self.stage is None and bool(self.answers)

    @property
    def may_ask(self) -> bool:
        return self.asked < MAX_ROUNDS

    def answer(self, stage: Stage, key: str) -> Json | None:
        """An answer to a form of that stage; None where none has come, or one of no known shape."""
        answer = self.answers.get(key) if self.stage is stage else None
        if not isinstance(answer, Mapping) or not isinstance(answer.get("action"), str):
            return None
        return answer

    def ask(self, stage: Stage, requests: Mapping[str, InputRequest]) -> InputRequired:
        """The questions, with what has to come back along with their answers.

        There is nothing to come back where an API gives no state and nothing else is settled.
        """
        settled = self.given or self.consent or self.upstream is not None
        if stage is Stage.UPSTREAM and not settled:
            return InputRequired(requests, state=None)
        now = replace(self, asked=self.asked + 1, stage=stage)
        return InputRequired(requests, state=_state(now))


def _state(course: Course) -> Json:
    members: dict[str, object] = {"asked": course.asked, "stage": course.stage}
    optional = {
        "given": course.given or None,
        "asking": course.asking if course.stage is Stage.CONFIRM else None,
        "consent": course.consent,
        "upstream": course.upstream if course.stage is Stage.UPSTREAM else None,
    }
    return members | {key: value for key, value in optional.items() if value is not None}


def course_of(call: Call) -> Course:
    """Where a call stands. Its continuation's state is one that `Course.ask` has made."""
    if call.continuation is None:
        return Course()
    answers, state = call.continuation.responses, call.continuation.state
    if state is None:
        return Course(answers=answers)
    asked, given = state.get("asked"), state.get("given")
    return Course(
        asked=asked if isinstance(asked, int) else MAX_ROUNDS,
        stage=_STAGES.get(str(state.get("stage"))),
        given=given if isinstance(given, Mapping) else {},
        asking=_text(state, "asking"),
        consent=_text(state, "consent"),
        upstream=state.get("upstream"),
        answers=answers,
    )


def _text(state: Json, key: str) -> str | None:
    value = state.get(key)
    return value if isinstance(value, str) else None
