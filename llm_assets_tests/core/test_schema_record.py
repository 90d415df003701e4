import math
from enum import Enum

from pydantic import BaseModel, Field

from llm_assets.core.fingerprint import render_json
from llm_assets.core.ids import Sha256
from llm_assets.core.schema_record import SchemaRecord, build_schema_record


class Colour(Enum):
    RED = "red"


class Output(BaseModel):
    colour: Colour = Colour.RED
    score: float = Field(default=math.inf, lt=math.inf)


class Verdict(BaseModel):
    verdict: bool


def build_record(**models):
    return build_schema_record(
        models, path="configs/schemas/t.py", source_sha256=Sha256("s"), output_model="Output"
    )


def test_record_holds_every_model():
    """Each model is there by its name, with the module it came from."""
    record = build_record(Output=Output, Verdict=Verdict)
    assert list(record.models) == ["Output", "Verdict"]
    assert (record.path, record.output_model) == ("configs/schemas/t.py", "Output")


def test_record_can_be_kept_and_read_back():
    """A bound or default that JSON cannot spell does not keep the record from being written."""
    record = build_record(Output=Output)
    text = render_json(record.model_dump(mode="json"))
    assert SchemaRecord.model_validate_json(text) == record
