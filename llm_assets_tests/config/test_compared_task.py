import pytest

from llm_assets.config.compared_task import check_compared_task
from llm_assets.config.gaps import parse_with_gaps
from llm_assets.config.task import TaskSettings
from llm_assets.config.yaml_text import parse_yaml
from llm_assets.errors import ConfigError


def check(block: str) -> None:
    document = parse_yaml(f"prompt: p.yaml\ncompare: {block}\n", file="configs/brief.yaml")
    settings = parse_with_gaps(TaskSettings, document)
    check_compared_task(settings, document, name="brief", names=["brief", "notes"])


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("{with: nots}", "configs/brief.yaml:2:17: compare.with: there is no task 'nots'"),
        ("{with: nots}", "Did you mean 'notes'? Tasks: notes."),
        ("{with: brief}", "a task cannot be compared with itself"),
        ("{with: brief}", "`compare: null`"),
        ("{with: !required which}", "`!required` cannot stand here"),
        ("{max_changed: 0.1}", "with"),
        ("{with: notes, max_changed: 1.5}", "compare.max_changed"),
        (
            "{with: notes, max_score_drop: 0.1}",
            "configs/brief.yaml:2:1: compare: `max_score_drop` needs an `expected` block",
        ),
    ],
)
def test_a_task_that_cannot_be_compared_with_is_told_with_its_place(block: str, said: str):
    """Before anything runs, with what to write."""
    with pytest.raises(ConfigError) as caught:
        check(block)
    assert said in str(caught.value)


@pytest.mark.parametrize("block", ["{with: notes, max_changed: 0.1}", "null"])
def test_another_task_and_none_are_fine(block: str):
    """A variant writes `null` to be rid of the block it inherits."""
    check(block)
