"""Arguments that a call lacks: where a person can be asked for them, the call asks."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from gateway.calls import (
    ARGUMENTS,
    MAX_GIVEN,
    arguments_request,
    given_values,
    json_bytes,
    missing_arguments,
)
from gateway.catalog import Tool
from gateway.engine.rounds import Course, Json, Stage
from gateway.errors import Fault, InvalidArguments
from gateway.messages import Request

_ACCEPT = "accept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A request, the arguments that made it, and how the call stands."""

    request: Request
    arguments: Json = field(repr=False)
    course: Course


def fill_in(
    tool: Tool,
    arguments: Json,
    course: Course,
    build: Callable[[Json], Request],
    *,
    asks: bool,
) -> Filled:
    """The request that the arguments make, those included that people have given.

    `asks`: whether somebody may be asked. Raises InputRequired to ask; InvalidArguments, as `build`
    does, where no form can help or nobody fills it in.
    """
    arguments = {**arguments, **course.given}
    try:
        return Filled(request=build(arguments), arguments=arguments, course=course)
    except InvalidArguments as error:
        names = missing_arguments(error.faults) if asks else ()
        question = arguments_request(tool, names)
        if question is None:
            raise
        answer = course.answer(Stage.ARGUMENTS, ARGUMENTS)
        if answer is None and course.may_ask:
            raise course.ask(Stage.ARGUMENTS, {ARGUMENTS: question}) from None
        if answer is None or answer.get("action") != _ACCEPT:
            raise
        given = {**course.given, **given_values(names, answer.get("content"))}
    if len(json_bytes(given)) > MAX_GIVEN:
        message = f"the answers are larger than {MAX_GIVEN:,} bytes; give them as arguments"
        raise InvalidArguments(Fault(pointer="", message=message))
    arguments = {**arguments, **given}
    course = replace(course, given=given)
    return Filled(request=build(arguments), arguments=arguments, course=course)
