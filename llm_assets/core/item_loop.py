"""What happens next to an item, given the answers it already has.

An item's whole life is a function of the answers to its calls: ask, validate, let the judge look, ask again with
what was wrong. Nothing here sends, reads or writes. Whoever drives the loop looks an asked call up in the ledger,
sends it, or merely counts it, so that an interrupted run, a re-run, a plan and a first run are all the same code.

A run gives an item a round: so many attempts without a valid answer, so many rejections, so many tries for each
verdict. Answers of earlier runs are led through the rounds they were given then; an item at the end of its last
round gets another one, unless the settings leave failed items alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from llm_assets.core.answer_reading import (
    Problem,
    Verdict,
    build_objection,
    build_rejection,
    read_generated,
    read_verdict,
)
from llm_assets.core.answers import ValidAnswer
from llm_assets.core.calls import Answer, CallRequest, Fault, Purpose
from llm_assets.core.ids import CallKey
from llm_assets.core.images import find_image_problem
from llm_assets.core.item_ends import build_attempt, build_end, build_fault_attempt
from llm_assets.core.item_hooks import HookFailure, finish_output, prepare_item, score_output
from llm_assets.core.items import Item
from llm_assets.core.llm_outputs import Attempt, ItemOutput, Outcome
from llm_assets.core.prompts import RenderError
from llm_assets.core.requests import build_generate_request, build_judge_request
from llm_assets.core.step import Judge, Step
from llm_assets.errors import ConfigError
from llm_assets.hooks import Rejection, Skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """The next call this item needs."""

    request: CallRequest
    purpose: Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The item's end."""

    output: ItemOutput


def advance(step: Step, item: Item, answers: Sequence[Answer], *, n_known: int) -> Ask | Done:
    """Decide an item's next call or its end.

    Args:
        step: What is asked of every item.
        item: The item.
        answers: The answers to this item's calls so far, in the order in which they were asked for.
        n_known: How many of them were on record before this run.
    """
    life = _Life(step=step, item=item, answers=answers, n_known=n_known)
    if item.steps is None:
        return life.advance()
    try:
        return life.advance()
    except RenderError as exc:
        # What an earlier step answered for this item does not fit the prompt; others may well.
        return Done(output=build_end(item, "failed", f"{exc.problem}.", life.tried))


def build_fault_output(
    step: Step, item: Item, answers: Sequence[Answer], *, asked: Ask, key: CallKey, fault: Fault
) -> ItemOutput:
    """The end of an item whose next call brought no answer, however often it was sent."""
    life = _Life(step=step, item=item, answers=answers, n_known=len(answers))
    life.advance()
    number = life.n_generated + (asked.purpose == "generate")
    tried = [*life.tried, build_fault_attempt(key, fault, number=number, purpose=asked.purpose)]
    whose = "The judge did not answer: " if asked.purpose == "judge" else ""
    return build_end(life.item, "failed", f"{whose}{fault.message}", tried)


def build_unasked_output(
    step: Step, item: Item, answers: Sequence[Answer], *, outcome: Outcome, reason: str
) -> ItemOutput:
    """The end of an item whose next call is not sent in this run; a later run goes on from here."""
    life = _Life(step=step, item=item, answers=answers, n_known=len(answers))
    life.advance()
    return build_end(life.item, outcome, reason, life.tried)


@dataclass(slots=True, kw_only=True)
class _Life:
    """An item's answers being led through the loop, in order."""

    step: Step
    item: Item
    answers: Sequence[Answer]
    n_known: int
    position: int = 0
    n_generated: int = 0
    n_truncated: int = 0
    n_failed_in_round: int = 0
    """Attempts that brought no valid answer; rejected ones have a bound of their own."""
    n_rejected_in_round: int = 0
    tried: list[Attempt] = field(default_factory=list[Attempt])

    def advance(self) -> Ask | Done:
        if self.step.hooks is not None:
            prepared = prepare_item(self.step.hooks, self.item)
            if not isinstance(prepared, Item):
                return self._leave_out(prepared)
            self.item = prepared
        images = self.step.images
        if images is not None:
            problem = find_image_problem(self.item.work.images, images)
            if problem is not None:
                return self._end(Problem(outcome="failed", text=problem))
        return self._go_on()

    def _leave_out(self, why: Skip | HookFailure) -> Done:
        outcome: Outcome = "skipped" if isinstance(why, Skip) else "failed"
        return Done(output=build_end(self.item, outcome, why.reason, self.tried))

    def _go_on(self) -> Ask | Done:
        problem: Problem | None = None
        while (answer := self._take()) is not None:
            self.n_generated += 1
            read = read_generated(
                answer,
                self.step.output_model,
                has_cap=self.step.max_output_tokens is not None,
                text_form=self.step.text_form,
            )
            if isinstance(read, ValidAnswer):
                read = self._finish(answer, read)
            self._note(answer, read)
            if isinstance(read, Problem) and read.outcome == "failed":
                return self._end(read)  # a hook's fault: another answer would meet it, too
            decided = self._check(answer, read) if isinstance(read, ValidAnswer) else read
            if not isinstance(decided, Problem):
                return decided
            problem = decided
            if self._must_end(problem):
                return self._end(problem)
        return self._ask(problem)

    def _ask(self, problem: Problem | None) -> Ask | Done:
        try:
            request = build_generate_request(
                self.step,
                self.item,
                number=self.n_generated + 1,
                problem=problem,
                n_truncated=self.n_truncated,
            )
        except ConfigError as exc:
            if not self.item.names:
                raise
            what = f"What the request hook gives does not fit the prompt: {exc}"
            return self._end(Problem(outcome="failed", text=what))
        return Ask(request=request, purpose="generate")

    def _finish(self, answer: Answer, valid: ValidAnswer) -> ValidAnswer | Problem:
        """The output as the hooks leave it, or what they have against it."""
        if self.step.hooks is None:
            return valid
        finished = finish_output(self.step.hooks, self.item, valid, self.step.output_model)
        if isinstance(finished, HookFailure):
            return Problem(outcome="failed", text=finished.reason)
        if isinstance(finished, Rejection):
            is_text = self.step.text_form is not None
            return build_objection(answer, finished.reason, is_text=is_text)
        return finished

    def _take(self) -> Answer | None:
        """The next answer on record, if there is one."""
        if self.position == len(self.answers):
            return None
        self.position += 1
        return self.answers[self.position - 1]

    def _check(self, answer: Answer, valid: ValidAnswer) -> Ask | Done | Problem:
        """Accept a valid answer, or let the judge look at it first."""
        judge = self.step.judge
        if judge is None:
            return self._accept(answer, valid, verdict=None)
        verdict = self._find_verdict(judge, valid)
        if not isinstance(verdict, Verdict):
            return verdict
        if verdict.is_accepted:
            return self._accept(answer, valid, verdict=verdict)
        return build_rejection(answer, verdict.reason, is_text=self.step.text_form is not None)

    def _find_verdict(self, judge: Judge, valid: ValidAnswer) -> Verdict | Ask | Done:
        """The judge's verdict, the call that asks for it, or the end of an item that gets none."""
        problem: Problem | None = None
        number = n_truncated = 0
        while (answer := self._take()) is not None:
            number += 1
            n_truncated += answer.finish_reason == "length"
            verdict = read_verdict(answer, judge)
            self._note_verdict(answer, verdict)
            if isinstance(verdict, Verdict):
                return verdict
            problem = verdict
            is_used_up = number % judge.rules.attempts == 0
            if is_used_up and self._has_no_more_chance():
                return self._end(problem)
        request = build_judge_request(
            self.step,
            judge,
            self.item,
            valid=valid,
            number=number + 1,
            problem=problem,
            n_truncated=n_truncated,
        )
        return Ask(request=request, purpose="judge")

    def _must_end(self, problem: Problem) -> bool:
        """Count the problem into the round; where the round is over, end or begin another one."""
        is_rejected = problem.outcome == "rejected"
        self.n_truncated += problem.outcome == "truncated"
        self.n_failed_in_round += not is_rejected
        self.n_rejected_in_round += is_rejected
        if not self._is_round_over(problem):
            return False
        if self._has_no_more_chance():
            return True
        self.n_failed_in_round = 0
        self.n_rejected_in_round = 0
        return False

    def _is_round_over(self, problem: Problem) -> bool:
        judge = self.step.judge
        return (
            # The same words would be refused again; a later run may meet a later model.
            problem.outcome == "refused"
            or self.n_failed_in_round >= self.step.attempts.attempts
            or (judge is not None and self.n_rejected_in_round > judge.rules.retries)
        )

    def _has_no_more_chance(self) -> bool:
        """Whether this round is the last one: no later answers are on record, and this run has had its own."""
        is_fresh = len(self.answers) > self.n_known
        is_last = self.position == len(self.answers)
        return is_last and (is_fresh or not self.step.attempts.retry_failed)

    def _note(self, answer: Answer, read: ValidAnswer | Problem) -> None:
        is_valid = isinstance(read, ValidAnswer)
        self.tried.append(
            build_attempt(
                answer,
                number=self.n_generated,
                purpose="generate",
                problem=None if is_valid else read.text,
                is_repaired=is_valid and read.is_repaired,
            )
        )

    def _note_verdict(self, answer: Answer, verdict: Verdict | Problem) -> None:
        is_verdict = isinstance(verdict, Verdict)
        problem = verdict.reason if is_verdict else verdict.text
        is_accepted = is_verdict and verdict.is_accepted
        self.tried.append(
            build_attempt(
                answer,
                number=self.n_generated,
                purpose="judge",
                problem=None if is_accepted else problem,
                is_repaired=is_verdict and verdict.output.is_repaired,
                verdict=is_accepted if is_verdict else None,
            )
        )

    def _accept(self, answer: Answer, valid: ValidAnswer, *, verdict: Verdict | None) -> Done:
        score = None if self.step.hooks is None else score_output(self.step.hooks, valid.output)
        if isinstance(score, HookFailure):
            return self._end(Problem(outcome="failed", text=score.reason))
        end = build_end(
            self.item,
            "accepted",
            None,
            self.tried,
            output=valid.output,
            verdict=verdict.output.output if verdict else None,
            accepted_at=answer.answered_at,
            parse_errors=valid.parse_errors,
            score=score,
        )
        return Done(output=end)

    def _end(self, problem: Problem) -> Done:
        return Done(output=build_end(self.item, problem.outcome, problem.text, self.tried))
