import pytest
from pydantic import BaseModel, Field

from llm_assets.config.prompt import PromptSettings
from llm_assets.core.ids import StepName
from llm_assets.core.json_schema import build_json_schema
from llm_assets.core.prompts import ROW_NAMES, Prompt, RenderError, build_prompt
from llm_assets.core.upstream import StepFields
from llm_assets.errors import ConfigError

EXTRACT, PLAIN = StepName("extract"), StepName("plain")


class Person(BaseModel):
    name: str


class Found(BaseModel):
    people: list[Person]
    first: Person | None
    items: list[str]
    notes: dict[str, str]
    code: str = Field(alias="ref")


OUTPUT = {
    "people": [{"name": "Ana"}, {"name": "Bo {{ x }}"}],
    "first": {"name": "Ana"},
    "items": ["é", 'say "hi"'],
    "notes": {"any": "thing"},
    "ref": "7",
}
SCHEMAS = {
    EXTRACT: build_json_schema(Found, mode="serialization"),
    PLAIN: build_json_schema(Person, mode="serialization"),
}


def build(
    user: str, *, system: str = "", columns: tuple[str, ...] = ("text",), schemas=SCHEMAS
) -> Prompt:
    return build_prompt(
        PromptSettings(user=user, system=system),
        path="p.yaml",
        columns=columns,
        item_names=ROW_NAMES,
        llm_schema="{}",
        upstream=schemas,
    )


def render(user: str) -> str:
    names = {"text": "t", "row": {"text": "t"}, "row_block": "text: t"}
    steps = StepFields({"extract": OUTPUT, "plain": {"name": "Cy"}})
    return build(user).render({**names, "steps": steps})[0].content


@pytest.mark.parametrize(
    ("user", "text"),
    [
        ("{{ steps.plain.name }}", "Cy"),
        ('{{ steps["plain"]["name"] }}', "Cy"),
        ("{{ steps.extract.ref }}", "7"),
        ("{{ steps.extract.first.name }}", "Ana"),
        ("{{ steps.extract.people }}", '[{"name":"Ana"},{"name":"Bo {{ x }}"}]'),
        ("{{ steps.extract.first }}", '{"name":"Ana"}'),
        ("{{ steps.extract.items }}", '["é","say \\"hi\\""]'),
        ("{{ steps.extract.items | join('; ') }}", 'é; say "hi"'),
        ("{{ steps.extract.people[1].name }}", "Bo {{ x }}"),
        ("{% for p in steps.extract.people %}{{ p.name }},{% endfor %}", "Ana,Bo {{ x }},"),
        ("{% for k, v in steps.extract.notes.items() %}{{ k }}={{ v }}{% endfor %}", "any=thing"),
        ("{{ steps.extract.notes.any }}", "thing"),
        ("{{ steps.plain }}", '{"name":"Cy"}'),
        ("{{ text }} {{ steps.plain.name }}", "t Cy"),
    ],
)
def test_a_prompt_reads_what_earlier_steps_answered(user: str, text: str):
    """Fields by their names, lists and objects as JSON, and nothing in a value is rendered again."""
    assert render(user) == text


@pytest.mark.parametrize(
    ("user", "expression", "remedy"),
    [
        (
            "{{ steps.extrct.people }}",
            "steps.extrct.people",
            "Did you mean 'extract'? It comes after: `extract`, `plain`.",
        ),
        (
            "{{ steps.extract.poeple }}",
            "steps.extract.poeple",
            "Did you mean 'people'? Fields there: `people`, `first`",
        ),
        (
            "{{ steps.extract.first.nme }}",
            "steps.extract.first.nme",
            "Did you mean 'name'? Fields there: `name`.",
        ),
        ("{{ steps.extract.code }}", "steps.extract.code", "Fields there:"),
        ('{{ steps["later"].x }}', "steps.later.x", "It comes after: `extract`, `plain`."),
        ("{% if steps.plain.age %}x{% endif %}", "steps.plain.age", "Fields there: `name`."),
    ],
)
def test_a_field_that_cannot_be_there_is_named_before_any_call(
    user: str, expression: str, remedy: str
):
    """The message has the file, the place, what was written and what there is."""
    with pytest.raises(ConfigError) as caught:
        build(user)
    assert f"Prompt 'p.yaml' uses {{{{ {expression} }}}} (line 1) in `user`" in caught.value.what
    assert caught.value.what.endswith("nothing was sent.")
    assert remedy in caught.value.remedy


def test_the_system_turn_is_checked_too():
    """A wrong field is found in whichever turn it stands."""
    with pytest.raises(ConfigError, match="in `system`"):
        build("x", system="{{ steps.plain.age }}")


@pytest.mark.parametrize(
    "user",
    [
        "{{ steps.extract.notes.whatever }}",
        "{{ steps.extract.people[0].nme }}",
        "{% set steps = {'a': {'b': 1}} %}{{ steps.a.b }}",
        "{{ steps.extract.people.count('x') }}",
    ],
)
def test_what_is_not_known_beforehand_is_let_pass(user: str):
    """Free objects, members of lists and names of the template's own are found out when they are rendered."""
    assert build(user)


def test_a_first_step_has_no_earlier_ones():
    """Where nothing comes before, `steps` is an unknown name, unless a column is called so."""
    with pytest.raises(ConfigError, match=r"uses \{\{ steps \}\}"):
        build("{{ steps.extract.people }}", schemas=None)
    assert build("{{ steps }}", columns=("steps",), schemas=None).names == {"steps"}


def build_braces(user: str, *, columns: tuple[str, ...] = ("text",), schemas=SCHEMAS) -> Prompt:
    return build_prompt(
        PromptSettings(user=user, syntax="braces"),
        path="p.yaml",
        columns=columns,
        item_names=ROW_NAMES,
        llm_schema="{}",
        upstream=schemas,
    )


@pytest.mark.parametrize(
    ("user", "text"),
    [
        ("{steps.plain.name}", "Cy"),
        ("{{{steps.extract.ref}}}", "{7}"),
        ("{steps.extract.first.name}", "Ana"),
        ("{steps.extract.items}", '["é","say \\"hi\\""]'),
        ("{steps.extract.people}", '[{"name":"Ana"},{"name":"Bo {{ x }}"}]'),
        ("{steps.extract.first}", '{"name":"Ana"}'),
        ("{steps.extract.notes}", '{"any":"thing"}'),
        ("{steps.plain}", '{"name":"Cy"}'),
    ],
)
def test_braces_read_earlier_steps(user: str, text: str):
    """A declared field stands in a prompt of the older kind as its value, a list or an object as JSON."""
    names = {"text": "t", "row": {"text": "t"}, "row_block": "text: t"}
    steps = StepFields({"extract": OUTPUT, "plain": {"name": "Cy"}})
    assert build_braces(user).render({**names, "steps": steps})[0].content == text


@pytest.mark.parametrize(
    ("user", "shown", "remedy"),
    [
        ("\n{steps.extract.poeple}", "{steps.extract.poeple} (line 2)", "Did you mean 'people'?"),
        ("{steps.plane.name}", "{steps.plane.name} (line 1)", "Did you mean 'plain'?"),
        ("{steps.plain.items}", "{steps.plain.items}", "Fields there: `name`."),
        ("{steps.plain.__class__}", "{steps.plain.__class__}", "Fields there: `name`."),
        ("{steps.plain.name.upper}", "{steps.plain.name.upper}", "has no name of its own"),
        ("{steps.extract.people.0}", "{steps.extract.people.0}", "has no name of its own"),
        ("{steps.extract.notes.any}", "{steps.extract.notes.any}", "has no name of its own"),
        ("{steps.x}", "{steps.x}", "It comes after: `extract`, `plain`."),
        ("{steps}", "{steps}", "Columns: text."),
        ("{steps.plain.name!r}", "{steps.plain.name!r}", "Did you mean 'name'?"),
    ],
)
def test_braces_reach_declared_fields_alone(user: str, shown: str, remedy: str):
    """Methods, places of lists, keys of free objects and slips are found before the first call, with their lines."""
    with pytest.raises(ConfigError) as caught:
        build_braces(user)
    assert f"uses {shown}" in str(caught.value)
    assert remedy in str(caught.value)


def test_braces_of_a_first_step_know_no_others():
    """A step that comes after none cannot name one."""
    with pytest.raises(ConfigError, match="Columns: text"):
        build_braces("{steps.plain.name}", schemas=None)


def test_a_column_may_be_called_like_a_field():
    """What is a column stays one, in a chain, too."""
    prompt = build_braces("{steps.plain.name}", columns=("steps.plain.name",))
    row = {"steps.plain.name": "own"}
    values = {**row, "row": row, "steps": StepFields({"plain": {"name": "Cy"}})}
    assert prompt.render(values)[0].content == "own"


def test_a_missing_object_has_no_fields():
    """What a step left empty is told where one of its fields is named, and never becomes another text."""
    with pytest.raises(RenderError, match="is not there"):
        build_braces("{steps.extract.first.name}").render(
            {"steps": StepFields({"extract": {**OUTPUT, "first": None}})}
        )
