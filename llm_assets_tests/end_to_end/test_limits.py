"""How many calls an endpoint sees at once, in a minute, and after it has said that none can be served."""

import time

import pytest

from llm_assets_tests.end_to_end.call_record import read_call_sums
from llm_assets_tests.end_to_end.refusing_server import open_refusing_server
from llm_assets_tests.end_to_end.served_model import ServedModel, open_served_model
from llm_assets_tests.end_to_end.tiny_project import TinyProject, assert_told_plainly, build_project

CONFIG = "configs/notes.yaml"
IN_FLIGHT = 50
DOOMED = {
    "a bad key": (
        401,
        {"message": "Incorrect API key provided.", "code": "invalid_api_key"},
        ["Incorrect API key", "Check the key"],
    ),
    "an unknown model": (
        404,
        {"message": "The model `extractive` does not exist.", "code": "model_not_found"},
        ["does not exist", "llm.model"],
    ),
    "a rejected schema": (
        400,
        {"message": "Invalid schema for response_format.", "param": "response_format"},
        ["Invalid schema", "structured_output"],
    ),
}


def build_long_project(root, base_url: str, *, n_rows: int, in_flight: int | None) -> TinyProject:
    rows = [(str(n), "lathe", f"Note {n} about the lathe.", "x") for n in range(n_rows)]
    project = build_project(root, base_url=base_url, rows=rows)
    wanted = "" if in_flight is None else f"  max_in_flight: {in_flight}\n"
    project.edit(CONFIG, "  max_in_flight: 4\n", wanted)
    return project


@pytest.mark.parametrize("case", DOOMED)
def test_a_doomed_run_stops_after_the_first_answers(tmp_path, case: str):
    """What would befall every row stops the run: no call is sent twice, and none after the first answers."""
    status, error, names = DOOMED[case]
    with open_refusing_server(status, error) as server:
        project = build_long_project(
            tmp_path / "project", server.base_url, n_rows=500, in_flight=IN_FLIGHT
        )
        run = project.run("run", "notes")
    assert_told_plainly(run, exit_code=3, names=names)
    assert 1 <= len(server.bodies) <= IN_FLIGHT
    assert len(set(server.bodies)) == len(server.bodies)


def test_a_run_without_a_server_stops_soon(tmp_path):
    """An address where nothing answers is told after a few tries, not after every row."""
    with open_refusing_server(500, {}) as server:
        nowhere = server.base_url
    project = build_long_project(tmp_path / "project", nowhere, n_rows=500, in_flight=5)
    run = project.run("run", "notes")
    assert_told_plainly(run, exit_code=3, names=["base_url"])
    assert read_call_sums(project).n_calls <= 5 * 3


def test_a_judge_shares_the_places_of_its_endpoint(tmp_path):
    """The calls of judge and generator together are never more at once than a person allows."""
    with open_served_model("latency_seconds=0.02") as served_model:
        project = build_long_project(
            tmp_path / "project", served_model.base_url, n_rows=40, in_flight=4
        )
        project.write(CONFIG, f"{project.read(CONFIG)}judge:\n  prompt: prompts/judge.yaml\n")
        project.write("prompts/judge.yaml", "user: |\n  Is this right? {{ output_json }}\n")
        schema = project.read("configs/schemas/notes.py")
        project.write("configs/schemas/notes.py", schema + JUDGE_MODEL)
        run = project.run("run", "notes", "--json")
        tally = served_model.read_tally()
    assert run.calls_sent >= 80
    assert tally["most_in_flight"] == 4


JUDGE_MODEL = '''

class JudgeResult(BaseModel):
    """Whether the note was sorted well."""

    model_config = ConfigDict(extra="forbid")

    verdict: bool
    reason: str
'''


def test_one_in_flight_is_strictly_sequential(tmp_path):
    """With one place, a call leaves when the one before it is back."""
    with open_served_model("latency_seconds=0.005") as served_model:
        project = build_long_project(
            tmp_path / "project", served_model.base_url, n_rows=20, in_flight=1
        )
        assert project.run_json("notes").calls_sent == 20
        assert served_model.read_tally()["most_in_flight"] == 1


def test_results_do_not_depend_on_the_number_in_flight(tmp_path, served_model: ServedModel):
    """The same table gives the same bytes, one call after the other or many at once."""
    outputs = []
    for in_flight in (1, 30):
        project = build_long_project(
            tmp_path / str(in_flight), served_model.base_url, n_rows=60, in_flight=in_flight
        )
        project.run_json("notes")
        outputs.append(project.read_records("llm_outputs"))
    assert outputs[0] == outputs[1]


@pytest.mark.slow
def test_the_number_that_a_server_takes_is_found(tmp_path):
    """A server that takes 5 at once refuses a few calls at first, and then hardly any."""
    with open_served_model("max_in_flight=5,latency_seconds=0.02,retry_after_seconds=0.2") as model:
        project = build_long_project(
            tmp_path / "project", model.base_url, n_rows=600, in_flight=None
        )
        assert project.run_json("notes").batch["outcomes"] == {"accepted": 600}
    refused = read_call_sums(project).n_by_fault
    assert 1 <= refused["rate_limited"] <= 12
    assert set(refused) == {"rate_limited"}


@pytest.mark.slow
def test_requests_a_minute(tmp_path, served_model: ServedModel):
    """Calls leave no faster than a person allows, and nearly as fast."""
    project = build_long_project(
        tmp_path / "project", served_model.base_url, n_rows=100, in_flight=20
    )
    project.edit(CONFIG, "  max_in_flight: 20\n", "  requests_per_minute: 1200\n")
    begun = time.monotonic()
    done = project.run_json("notes")
    elapsed = time.monotonic() - begun
    assert elapsed > 4
    assert 4 <= done.batch["elapsed_seconds"] <= 7
