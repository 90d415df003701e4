"""What hooks do to an item, and that nothing they do wrong is more than this item's trouble."""

from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from typing import Any, cast

import pytest
from pydantic import JsonValue

from llm_assets.config.endpoint import PRESETS
from llm_assets.config.prompt import PromptSettings
from llm_assets.config.task import TaskSettings
from llm_assets.core.answer_reading import FEEDBACK_INVALID
from llm_assets.core.calls import Fault
from llm_assets.core.ids import CallKey, Sha256
from llm_assets.core.item_hooks import Hook, Hooks
from llm_assets.core.item_loop import Ask, Done, advance, build_fault_output, build_unasked_output
from llm_assets.core.llm_outputs import ItemOutput
from llm_assets.core.step import Step
from llm_assets.core.steps import PromptNames, build_step
from llm_assets.errors import ConfigError
from llm_assets.hooks import HookItem, Output, Rejection, Request, Skip
from llm_assets_tests.core.builders import BAD, GOOD, Label, build_answer, build_item
from llm_assets_tests.core.judges import build_judged_step

ITEM = build_item("Where is it?")
OUTPUT: dict[str, JsonValue] = {"label": "refund", "score": 1}


def build_hook(kind: str, call: Callable[..., object]) -> Hook[Any]:
    return Hook(kind=cast("Any", kind), name=f"h.py:{kind}", source_sha256=Sha256("0"), call=call)


def build_hooks(names: tuple[str, ...] = (), **calls: Callable[..., object]) -> Hooks:
    return Hooks(
        names=frozenset(names),
        **{kind: build_hook(kind, call) for kind, call in calls.items()},
    )


def build_hooked_step(
    *, user: str = "{{ text }}", names: tuple[str, ...] = (), **calls: Callable[..., object]
) -> Step:
    return build_step(
        TaskSettings.model_validate({"prompt": "p.yaml"}).chain[0],
        prompt=PromptSettings(user=user),
        prompt_path="p.yaml",
        endpoint=PRESETS["offline"],
        base_url="http://offline.invalid/v1",
        output_model=Label,
        schema_text="{}",
        names=PromptNames(mode="row", columns=("text", "team")),
        judge=None,
        hooks=build_hooks(names, **calls),
    )


def ask(step: Step, *answers, item=ITEM) -> Ask:
    decided = advance(step, item, answers, n_known=0)
    assert isinstance(decided, Ask), decided
    return decided


def end(step: Step, *answers, item=ITEM) -> ItemOutput:
    decided = advance(step, item, answers, n_known=0)
    assert isinstance(decided, Done), decided
    return decided.output


def give_extra(_item: HookItem) -> Request:
    return Request(extra={"n": 1})


def raise_error(*_arguments: object) -> None:
    raise RuntimeError("no such shelf")


def test_request_hook_gives_the_prompt_names():
    """What the hook gives is in the words sent, and a changed value is another call."""
    step = build_hooked_step(
        user="{{ shelf }}: {{ text }}",
        names=("shelf",),
        request=lambda item: Request(names={"shelf": len(item.values["text"])}),
    )
    asked = ask(step)
    assert asked.request.messages[0].content == "12: Where is it?"
    other = ask(step, item=build_item("Where?"))
    assert other.request.build_key() != asked.request.build_key()


def test_extra_values_travel_with_the_item_and_change_no_call():
    """Later hooks see them and every end has them; the model does not see them."""
    seen: list[HookItem] = []
    step = build_hooked_step(
        request=lambda _: Request(extra={"shelf": [1, {"a": None}]}),
        check=lambda item, _: seen.append(item),
    )
    plain = build_hooked_step()
    assert ask(step).request.build_key() == ask(plain).request.build_key()
    assert end(step, build_answer(GOOD)).extra == {"shelf": [1, {"a": None}]}
    assert seen[0].extra == {"shelf": [1, {"a": None}]}
    fault = Fault(kind="server_error", message="Down.")
    failed = build_fault_output(step, ITEM, (), asked=ask(step), key=CallKey("k"), fault=fault)
    unasked = build_unasked_output(step, ITEM, (), outcome="over_budget", reason="No.")
    assert failed.extra == unasked.extra == {"shelf": [1, {"a": None}]}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (None, "Left out by the request hook."),
        (Skip("Too short."), "Too short."),
        (Skip(""), "Left out by the request hook."),
    ],
)
def test_request_hook_leaves_an_item_out(given: Skip | None, reason: str):
    """An item that is left out makes no call and says why."""
    output = end(build_hooked_step(request=lambda _: given))
    assert (output.outcome, output.reason, output.attempts) == ("skipped", reason, ())


def test_result_hook_completes_the_output():
    """What it returns is the output that the check, the judge and the export see."""
    seen: list[Output] = []
    step = build_hooked_step(
        result=lambda _, output: {**output, "label": str(output["label"]).upper()},
        check=lambda _, output: seen.append(output),
    )
    output = end(step, build_answer(GOOD))
    assert (output.outcome, output.output) == ("accepted", {"label": "REFUND", "score": 1})
    assert seen == [{"label": "REFUND", "score": 1}]


def test_judge_sees_what_the_result_hook_returns():
    """The judge is asked about the output as it will stand in the export, and may use the hook's names."""
    step = replace(
        build_judged_step(),
        hooks=build_hooks(result=lambda _, output: {**output, "label": "mended"}),
    )
    asked = ask(step, build_answer(GOOD))
    assert asked.purpose == "judge"
    assert '"label":"mended"' in asked.request.messages[0].content


def test_check_sends_an_output_back():
    """A rejected output is asked for again with the reason, like an invalid one, until the attempts are over."""
    step = build_hooked_step(
        check=lambda _, output: Rejection("Too low.") if output["score"] == 1 else None
    )
    low, fine = build_answer(GOOD), build_answer('{"label": "x", "score": 2}')
    asked = ask(step, low)
    assert asked.request.messages[-1].content == FEEDBACK_INVALID.format(problem="Too low.")
    assert asked.request.attempt == 2
    output = end(step, low, fine)
    assert (output.outcome, output.output) == ("accepted", {"label": "x", "score": 2})
    assert [attempt.problem for attempt in output.attempts] == ["Too low.", None]
    given_up = end(step, low, low, low)
    assert (given_up.outcome, given_up.reason) == ("invalid", "Too low.")


def test_invalid_answer_reaches_no_hook():
    """Hooks see outputs that the schema accepts and no others."""
    step = build_hooked_step(result=raise_error, check=raise_error, scorer=raise_error)
    assert "`score`" in ask(step, build_answer(BAD)).request.messages[-1].content


def test_scorer_gives_the_record_a_number():
    """An accepted output has a score; one of which nothing can be said has none."""
    step = build_hooked_step(scorer=lambda output, _expected: output["score"] / 2)
    assert end(step, build_answer(GOOD)).score == 0.5
    step = build_hooked_step(scorer=lambda _output, expected: expected)
    assert end(step, build_answer(GOOD)).score is None
    assert end(build_hooked_step(), build_answer(GOOD)).score is None


@pytest.mark.parametrize("kind", ["request", "result", "check", "scorer"])
@pytest.mark.parametrize(
    "error", [KeyError("x"), ZeroDivisionError(), SystemExit(3), RecursionError()]
)
def test_error_of_a_hook_is_the_items_failure(kind: str, error: BaseException):
    """Whatever a hook raises, its item has failed, with the hook's name and the error's words."""

    def fail(*_arguments: object) -> None:
        raise error

    output = end(build_hooked_step(**cast("Any", {kind: fail})), build_answer(GOOD))
    assert (output.outcome, output.output) == ("failed", None)
    assert f"The {kind} hook h.py:{kind} raised {type(error).__name__}" in (output.reason or "")
    assert str(error) in (output.reason or "")
    n_attempts = 0 if kind == "request" else 1
    assert len(output.attempts) == n_attempts


def test_failure_of_a_hook_asks_no_further():
    """Another answer would meet the same fault; once the hook is mended, the answer on record counts."""
    broken = build_hooked_step(result=raise_error)
    assert end(broken, build_answer(GOOD)).outcome == "failed"
    assert end(build_hooked_step(), build_answer(GOOD)).outcome == "accepted"


@pytest.mark.parametrize(
    ("kind", "returned", "words"),
    [
        ("request", {"shelf": 1}, "returned a value of type 'dict' and no Request"),
        ("request", Request(names={"aisle": 1}), "gave the names [aisle]"),
        ("request", Request(extra=cast("Any", {"when": object()})), "JSON cannot hold"),
        ("request", Request(extra={"share": float("nan")}), "JSON cannot hold"),
        ("request", Request(extra=cast("Any", 7)), "JSON cannot hold"),
        ("result", None, "returned a value of type 'NoneType' and no output"),
        ("result", {"label": "x"}, "the schema refuses: `score`"),
        ("result", {**OUTPUT, "more": 1}, "the schema refuses: `more`"),
        ("result", {**OUTPUT, "score": {1}}, "JSON cannot hold"),
        ("check", False, "returned a value of type 'bool' and no Rejection"),
        ("check", "bad", "returned a value of type 'str' and no Rejection"),
        ("scorer", "high", "returned 'high' and no finite number"),
        ("scorer", float("inf"), "returned inf and no finite number"),
        ("scorer", True, "returned True and no finite number"),
    ],
)
def test_wrong_return_value_is_the_items_failure(kind: str, returned: object, words: str):
    """A hook that returns what it must not is told with what it returned."""
    step = build_hooked_step(**cast("Any", {kind: lambda *_: returned}))
    output = end(step, build_answer(GOOD))
    assert output.outcome == "failed"
    assert words in (output.reason or "")


def test_names_that_do_not_fit_the_prompt_are_the_items_failure():
    """A value that the template cannot use fails this item; a fault in the template alone stops the run."""
    step = build_hooked_step(
        user="{{ shelf.row }} {{ text }}",
        names=("shelf",),
        request=lambda _: Request(names={"shelf": 1}),
    )
    output = end(step)
    assert output.outcome == "failed"
    assert "does not fit the prompt" in (output.reason or "")


def test_hook_cannot_change_what_it_is_shown():
    """An item is frozen, and an output is a copy: what a check or a scorer does to it is not kept."""

    def spoil(item: HookItem, output: Output) -> None:
        cast("dict[str, JsonValue]", output)["label"] = "spoilt"
        cast("dict[str, JsonValue]", item.extra)["n"] = 2
        with pytest.raises(TypeError):
            cast("dict[str, object]", item.values)["text"] = "spoilt"
        with pytest.raises(FrozenInstanceError):
            cast("Any", item).group_key = "spoilt"

    def spoil_score(output: Output, _expected: JsonValue) -> float:
        cast("dict[str, JsonValue]", output).clear()
        return 1.0

    step = build_hooked_step(request=give_extra, check=spoil, scorer=spoil_score)
    output = end(step, build_answer(GOOD))
    assert (output.outcome, output.output, output.extra) == ("accepted", OUTPUT, {"n": 1})


def test_hooks_see_the_whole_item():
    """A hook knows the item's ids, its visible values and the text of its group."""
    seen: list[HookItem] = []
    step = build_hooked_step(request=lambda item: seen.append(item) or Request())
    ask(step, item=build_item("Where?", number=7, group_context="two rows"))
    assert seen[0] == HookItem(
        work_id="w7",
        row_ids=("r7",),
        values={"text": "Where?", "team": "sales"},
        group_key="sales",
        group_context="two rows",
    )


@pytest.mark.parametrize("name", ["text", "row", "llm_schema", "output"])
def test_name_that_is_taken_is_told(name: str):
    """A hook cannot give a name that is a column or has a meaning of its own."""
    with pytest.raises(ConfigError, match=f"`hooks.names` lists {name}"):
        build_hooked_step(names=(name,), request=give_extra)


def test_long_reasons_are_cut():
    """A hook's words are kept by their beginning, and only in characters that can be kept."""
    reason = f"\ud800{'x' * 100_000}"
    output = end(build_hooked_step(request=lambda _: Skip(reason)))
    assert len(output.reason or "") <= 500
    assert "\ud800" not in (output.reason or "")


def test_interrupt_is_no_hooks_error():
    """Ctrl-C inside of a hook stops the run."""

    def interrupt(_item: HookItem) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        end(build_hooked_step(request=interrupt))
