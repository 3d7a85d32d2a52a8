"""A call that asks before it goes on: in its result, or in earlier eras over its stream."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from gateway.engine import MAX_ROUNDS, Continuation
from gateway.errors import (
    CannotAsk,
    InputRequest,
    InputRequired,
    PayloadTooLarge,
    StoreUnavailable,
    UpstreamError,
)
from gateway.interfaces import SessionBoard
from gateway.mcp import (
    INVALID_PARAMS,
    QUESTION_BYTES,
    STATE_NONCE_BYTES,
    Answered,
    QuestionIds,
    Reply,
    RequestStates,
    RpcError,
    SealedRound,
    Work,
    digest_of_params,
    encode_json,
    input_required,
    parse_json,
    question,
)
from gateway.policy import Principal
from gateway.server.channels import Channel

PATIENCE_SECONDS = 60.0
"""For the answers of a legacy client; a modern one has as long as its state lives."""


Answer = Mapping[str, object] | None
"""A client's result; None where it answers with an error, or not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Where a call stands: the how manieth round, in which context, with which answers."""

    number: int = 1
    context_id: str | None = None
    continuation: Continuation | None = None


class Asking:
    """Takes a call from one round to the next.

    `keys` as for Sessions; `clock`: seconds since the epoch; `new_bytes`: so many random bytes. A
    client may bring its answer to another process, which leaves it on the `board`.
    """

    def __init__(
        self,
        *,
        keys: Sequence[bytes],
        clock: Callable[[], float],
        new_bytes: Callable[[int], bytes],
        board: SessionBoard,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self.questions = QuestionIds(keys)
        self._states = RequestStates(keys)
        self._clock = clock
        self._new_bytes = new_bytes
        self._board = board
        self._patience = patience_seconds
        self._open: dict[str, asyncio.Future[Answer]] = {}
        self._over = False

    def resume(self, work: Work, principal: Principal, api: str | None) -> Round:
        """The round that a request begins. Raises RpcError (-32602) for a state that is none."""
        retry = work.retry
        if retry is None:
            return Round()
        responses = retry.responses or {}
        if retry.state is None:
            return Round(continuation=Continuation(responses=responses))
        asked = self._states.open(
            retry.state, principal=principal, api=api, digest=_digest(work), now=self._clock()
        )
        if asked is None:
            raise RpcError(
                INVALID_PARAMS,
                "requestState is not valid here, or not any more: call again without it",
                request_id=work.id,
            )
        return Round(
            number=asked.round,
            context_id=asked.context_id,
            continuation=Continuation(responses=responses, state=asked.state),
        )

    def result(
        self,
        work: Work,
        principal: Principal,
        api: str | None,
        required: InputRequired,
        last: Round,
    ) -> Reply:
        """The modern result that asks. Raises UpstreamError for what cannot be asked."""
        state = None
        if required.state is not None:
            asked = SealedRound(
                principal=principal,
                api=api,
                digest=_digest(work),
                round=_next(last),
                context_id=required.context_id,
                state=required.state,
            )
            nonce = self._new_bytes(STATE_NONCE_BYTES)
            try:
                state = self._states.seal(asked, now=self._clock(), nonce=nonce)
            except ValueError as error:
                raise UpstreamError(f"the state of the call cannot be kept: {error}") from error
        return input_required(work, required.requests, state=state, context_id=required.context_id)

    async def ask(
        self, work: Work, required: InputRequired, channel: Channel, last: Round
    ) -> Round:
        """Puts the questions to a legacy client and waits for the answers.

        Raises CannotAsk when they do not come, UpstreamError for too many rounds.
        """
        number = _next(last)
        async with asyncio.TaskGroup() as group:
            tasks = {
                key: group.create_task(self._ask(work, request, channel))
                for key, request in required.requests.items()
            }
        answers = {key: task.result() for key, task in tasks.items()}
        responses = {key: answer for key, answer in answers.items() if answer is not None}
        if self._over:
            raise CannotAsk("the gateway is ending, and waits for no answers", missing=frozenset())
        if len(responses) < len(answers):
            raise CannotAsk("the client did not answer what it was asked", missing=frozenset())
        return Round(
            number=number,
            context_id=required.context_id,
            continuation=Continuation(responses=responses, state=required.state),
        )

    async def hear(self, answered: Answered) -> None:
        """Hands an answer to whoever waits for it, in this process or another."""
        waiting = self._open.get(answered.id)
        if waiting is None:
            # Too large, or nobody can be reached: then whoever asked waits in vain, and says so.
            with suppress(StoreUnavailable, PayloadTooLarge):
                answer = encode_json(answered.result)
                await self._board.post(answered.id, answer, seconds=self._patience)
        elif not waiting.done():
            waiting.set_result(answered.result)

    def close(self) -> None:
        """Nobody is waited for any more: calls that have asked end with a result that says so."""
        self._over = True
        for waiting in self._open.values():
            if not waiting.done():
                waiting.set_result(None)

    async def _ask(self, work: Work, request: InputRequest, channel: Channel) -> Answer:
        if self._over:
            return None
        question_id = self.questions.mint(work.session or b"", self._new_bytes(QUESTION_BYTES))
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._open[question_id] = answer
        try:
            if not await channel.send(question(question_id, request, work.revision)):
                return None
            async with asyncio.timeout(self._patience), asyncio.TaskGroup() as group:
                elsewhere = group.create_task(self._wait_elsewhere(question_id, answer))
                try:
                    return await answer
                finally:
                    elsewhere.cancel()
        except TimeoutError:
            return None
        finally:
            del self._open[question_id]

    async def _wait_elsewhere(self, question_id: str, answer: "asyncio.Future[Answer]") -> None:
        """Gives `answer` what another process has heard; without a board nothing comes."""
        with suppress(StoreUnavailable):
            data = await self._board.take(question_id, seconds=self._patience)
            if data is not None and not answer.done():
                result = parse_json(data)
                answer.set_result(result if isinstance(result, dict) else None)


def _next(last: Round) -> int:
    # The engine counts, too, but in the state, and an API may keep none.
    if last.number > MAX_ROUNDS:
        raise UpstreamError(
            f"the call has asked {MAX_ROUNDS} times and asks again. "
            "It may have been carried out all the same: check before trying again."
        )
    return last.number + 1


def _digest(work: Work) -> str:
    return digest_of_params(work.request) if work.request is not None else ""
