import pytest

from llm_assets.errors import ConfigError
from llm_assets.gateways.prompt_files import load_prompt

SHOWN = "prompts/p.yaml"


@pytest.fixture
def path(tmp_path):
    """Where the prompt lies."""
    return tmp_path / "p.yaml"


def test_a_prompt_file_is_read_as_it_stands(path):
    """Templates come out verbatim, whatever braces and unquoted scalars are in them."""
    path.write_text("system: 'no'\nuser: |\n  {{ text }} {a} {% raw %}x{% endraw %}\n", "utf-8")
    prompt = load_prompt(path, shown=SHOWN)
    assert (prompt.system, prompt.user) == ("no", "{{ text }} {a} {% raw %}x{% endraw %}\n")


def test_a_prompt_without_a_system_turn_is_fine(path):
    """Only the question has to be there."""
    path.write_bytes(b"\xef\xbb\xbfuser: Hello\n")
    assert load_prompt(path, shown=SHOWN).system == ""


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"usr: x\n", f"{SHOWN}:1:1: usr: unknown key. Did you mean 'user'?"),
        (
            b"system: x\n",
            f"{SHOWN}:1:1: give `user`, or `messages` that end with a turn of the user.",
        ),
        (
            b"messages:\n- {role: user, content: x}\n- {role: sistem, content: y}\n",
            f"{SHOWN}:3:10: messages[1].role: unknown value 'sistem'. Did you mean 'system'?",
        ),
        (
            b"user: x\nmessages:\n- {role: user, content: x}\n- {role: system, content: y}\n",
            "a turn of the system stands first",
        ),
        (b"user: x\nsyntax: fstring\n", "Allowed: jinja, braces."),
        (b"user: x\nuser: y\n", f"{SHOWN}:2:1"),
        (b"user: [x]\n", f"{SHOWN}:1:7"),
        (b"user: gr\xfc\n", f"The prompt file {SHOWN} is not UTF-8"),
        (b"", SHOWN),
    ],
)
def test_a_mistake_in_a_prompt_file_is_told_with_its_place(path, content, expected):
    """A wrong prompt is a config mistake with file and line."""
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_prompt(path, shown=SHOWN)
    assert expected in str(caught.value)


def test_a_missing_prompt_file_is_told_with_its_neighbour(tmp_path):
    """A misspelt name is answered with the file there is."""
    (tmp_path / "triage.yaml").write_text("user: x\n")
    with pytest.raises(ConfigError, match=r"does not exist\. Did you mean 'triage\.yaml'\?"):
        load_prompt(tmp_path / "triagge.yaml", shown="prompts/triagge.yaml")
