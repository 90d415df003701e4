from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_assets.config.steps import find_cycle, find_upstream, order_steps
from llm_assets.config.task import TaskSettings
from llm_assets.errors import ConfigError
from llm_assets_tests.config.task_texts import parse_task

FILE = "configs/x.yaml"
TWO = """\
llm:
  model: writer
  temperature: 0
attempts:
  attempts: 2
steps:
  - name: first
    prompt: a.yaml
    output_model: A
  - name: second
    prompt: b.yaml
    output_model: B
"""


def parse(text: str) -> TaskSettings:
    return parse_task(text, file=FILE)


def read_problem(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    return str(caught.value)


def list_steps(*steps: str) -> str:
    lines = [f"  - {{prompt: p, output_model: A, {step}}}\n" for step in steps]
    return "steps:\n" + "".join(lines)


def test_a_list_is_an_order():
    """Each step comes after the one before it, and knows all that come before."""
    chain = parse(list_steps("name: a", "name: b", "name: c")).chain
    assert [(step.name, step.after, step.upstream) for step in chain] == [
        ("a", (), ()),
        ("b", ("a",), ("a",)),
        ("c", ("b",), ("a", "b")),
    ]


def test_after_makes_a_graph():
    """Steps stand in an order in which they can run, whatever the order of the list."""
    text = list_steps("name: end, after: [l, r]", "name: l, after: [top]", "name: top, after: []")
    chain = parse(text + "  - {prompt: p, output_model: A, name: r, after: [top]}\n").chain
    assert [step.name for step in chain] == ["top", "l", "r", "end"]
    assert chain[-1].upstream == ("top", "l", "r")
    assert chain[1].after == chain[2].after == ("top",)


def test_without_steps_a_task_is_one_step_without_a_name():
    """The settings of the task are those of its only step, and nothing new stands in their dump."""
    settings = parse("prompt: p.yaml\njudge: {prompt: j.yaml}\n")
    (step,) = settings.chain
    assert (step.name, step.prompt, step.upstream) == (None, "p.yaml", ())
    assert (step.llm, step.attempts, step.judge) == (
        settings.llm,
        settings.attempts,
        settings.judge,
    )
    assert "steps" not in settings.model_dump(mode="json")
    assert settings.model_dump(mode="json")["prompt"] == "p.yaml"


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("", ("offline", "writer", 0.0, None)),
        ("llm: {temperature: 1}", ("offline", "writer", 1.0, None)),
        ("llm: {max_output_tokens: 5}", ("offline", "writer", 0.0, 5)),
        ("llm: {model: small}", ("offline", "small", 0.0, None)),
        ("llm: {endpoint: openai, model: m}", ("openai", "m", None, None)),
    ],
)
def test_what_a_step_does_not_say_is_as_the_task_has_it(own: str, expected):
    """Model and parameters come from the task one by one; another endpoint shares nothing with it."""
    text = TWO + f"    {own}\n"
    llm = parse(text).chain[1].llm
    assert (llm.endpoint, llm.model, llm.temperature, llm.max_output_tokens) == expected


def test_another_model_has_no_price_of_the_task():
    """The price and the level of the task's model say nothing of another one."""
    price = "  price: {input_usd: 1, output_usd: 1}\n  structured_output: prompt\n"
    text = TWO.replace("  temperature: 0\n", "  temperature: 0\n" + price)
    same, other = parse(text + "    llm: {model: small}\n").chain
    assert (same.llm.price is None, same.llm.structured_output) == (False, "prompt")
    assert (other.llm.price, other.llm.structured_output) == (None, None)


def test_a_step_sees_the_pictures_of_the_task_unless_it_says_no():
    """Pictures are the task's; which steps are shown them is each step's own, and without `images` there are none."""
    images = "images: {columns: [scan], roots: [scans]}\n"
    blind = "    sees_images: false\n"
    first, second = parse(images + TWO).chain
    assert first.images == second.images == parse(images + TWO).images
    first, second = parse(images + TWO + blind).chain
    assert (first.images is None, second.images) == (False, None)
    assert [step.images for step in parse(TWO + blind).chain] == [None, None]


def test_answers_and_functions_are_those_of_the_step():
    """What form answers have and which functions look at them is said at each step; the others have the defaults."""
    own = "    answer: text\n    hooks: {check: hooks/a.py:check}\n"
    first, second = parse(TWO + own).chain
    assert (first.answer.kind, first.hooks.references) == ("json", {})
    assert (second.answer.kind, second.hooks.references) == ("text", {"check": "hooks/a.py:check"})
    (only,) = parse(f"prompt: p.yaml\n{own.replace('    ', '')}").chain
    assert (only.answer, only.hooks) == (second.answer, second.hooks)


def test_a_verdict_of_any_step_can_be_expected():
    """The scorer `judge` needs a step with a judge, and is refused where none has one."""
    expected = "expected: {fields: {fine: {scorer: judge}, second.mood: {column: mood}}}\n"
    assert "needs a `judge` block" in read_problem(TWO + expected)
    judged = parse(TWO + "    judge: {prompt: j.yaml}\n" + expected)
    assert judged.expected
    assert judged.context.hidden == ("mood",)


def test_attempts_and_judges_are_those_of_the_step():
    """Attempts are filled up from the task; a judge belongs to its step and is asked where that step is asked."""
    own = "    attempts: {retry_failed: false}\n    judge: {prompt: j.yaml}\n    llm: {model: small}\n"
    first, second = parse(TWO + own).chain
    assert (first.attempts.attempts, first.attempts.retry_failed, first.judge) == (2, True, None)
    assert (second.attempts.attempts, second.attempts.retry_failed) == (2, False)
    assert second.judge_llm.model == "small"
    assert second.judge_model == "JudgeResult"


PROBLEMS = {
    "cycle": (
        list_steps("name: a, after: [c]", "name: b", "name: c"),
        "configs/x.yaml:2:50: steps[0].after: the steps wait for each other: 'a' after 'c' after 'b' after 'a'.",
    ),
    "itself": (
        list_steps("name: a, after: [a]"),
        "configs/x.yaml:2:51: steps[0].after[0]: step 'a' comes after itself.",
    ),
    "unknown": (
        list_steps("name: extract", "name: b, after: [extrakt]"),
        "configs/x.yaml:3:51: steps[1].after[0]: there is no step 'extrakt'. Did you mean 'extract'?",
    ),
    "twice": (
        list_steps("name: a", "name: b", "name: a"),
        "configs/x.yaml:4:40: steps[2].name: the step in line 2 is called 'a' already.",
    ),
    "a stage": (
        list_steps("name: llm_outputs"),
        "configs/x.yaml:2:40: steps[0].name: 'llm_outputs' is what a stage of every task is called.",
    ),
    "a node": (list_steps("name: a_prompt_file"), "configs/x.yaml:2:40: steps[0].name: "),
    "no identifier": (
        list_steps("name: a-b"),
        "configs/x.yaml:2:40: steps[0].name: the name of a step may hold only letters, digits and `_`, got 'a-b'.",
    ),
    "a prompt beside": (
        "prompt: p\n" + list_steps("name: a"),
        "configs/x.yaml:1:1: prompt: a task with `steps` does not have this key. Name a prompt file at each step.",
    ),
    "a judge beside": (
        "judge: {prompt: j}\n" + list_steps("name: a"),
        "configs/x.yaml:1:1: judge: a task with `steps` does not have this key.",
    ),
    "a class beside": (
        "schema: {output_model: A}\n" + list_steps("name: a"),
        "configs/x.yaml:1:10: schema.output_model: a task with `steps` does not have this key.",
    ),
    "no class": (
        "steps:\n  - name: a\n    prompt: p\n",
        "configs/x.yaml:2:5: steps[0].output_model: this key is missing.",
    ),
    "no list": (
        list_steps("name: a", "name: b, after: a"),
        "configs/x.yaml:3:50: steps[1].after: expected a list, got 'a'. Write [a].",
    ),
    "neither": ("llm: {model: m}\n", "configs/x.yaml:1:1: prompt: this key is missing."),
    "an empty list": ("steps: []\n", "configs/x.yaml:1:1: prompt: this key is missing."),
}


@pytest.mark.parametrize("case", PROBLEMS)
def test_a_mistake_is_told_with_its_place(case: str):
    """Whatever is wrong with the steps, one line says where it stands and what it is."""
    text, expected = PROBLEMS[case]
    assert read_problem(text).startswith(expected)


def test_all_mistakes_are_told_at_once():
    """A wrong name, an unknown step and an unknown key come in one message, in the order of the file."""
    told = read_problem(list_steps("name: report", "name: b, after: [c]", "name: d, promt: x"))
    assert told.startswith("configs/x.yaml has 3 problems:")
    assert told.index("'report'") < told.index("'c'") < told.index("promt")


NAMES = "abcdefgh"
GRAPHS = st.lists(st.lists(st.integers(0, 7), max_size=3), min_size=1, max_size=8).map(
    lambda graph: {
        NAMES[number]: [NAMES[at] for at in after if at < len(graph) and at != number]
        for number, after in enumerate(graph)
    }
)


@given(GRAPHS)
def test_an_order_has_every_step_after_what_it_needs(graph: dict[str, list[str]]):
    """Either all steps stand in an order that keeps to the graph, or a ring of them is named."""
    order, cycle = order_steps(graph), find_cycle(graph)
    assert (len(order) == len(graph)) is (cycle == ())
    for name in order:
        assert set(graph[name]) <= set(order[: order.index(name)])
    for name, earlier in pairwise(cycle):
        assert earlier in graph[name]
    assert cycle == () or cycle[0] == cycle[-1]


@given(GRAPHS)
def test_upstream_is_whatever_can_be_reached(graph: dict[str, list[str]]):
    """All steps before a step are those it needs and those before them, in their order, and never itself."""
    order = order_steps(graph)
    for name in order:
        upstream = find_upstream(name, after=graph, order=order)
        reached = {each for direct in graph[name] for each in (direct, *graph[direct])}
        assert reached <= set(upstream)
        assert name not in upstream
        assert list(upstream) == sorted(upstream, key=order.index)
