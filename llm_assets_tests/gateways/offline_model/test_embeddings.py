from base64 import b64decode
from itertools import product

import pytest
from openai import BadRequestError, NotFoundError

from llm_assets.core.tokens import count_tokens_approximately
from llm_assets.core.vectors import parse_vector
from llm_assets.gateways.offline_model.app import build_app
from llm_assets.gateways.offline_model.embeddings import DEFAULT_DIMENSIONS, build_vector

LATHE = "The belt of the lathe slips under load."
SAME = "Under load, the lathe's belts are slipping."
PAINT = "Two tins of red paint leaked in the cupboard."


def embed(call, app, text, *, model: str = "hashed-words", **parameters):
    return call(app, lambda client: client.embeddings.create(model=model, input=text, **parameters))


def multiply(one, other) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_the_openai_client_gets_vectors_in_order(call):
    """Several texts get a vector each, one unit long, as many numbers as asked for."""
    found = embed(call, build_app(), [LATHE, PAINT], dimensions=64).data
    assert [each.index for each in found] == [0, 1]
    assert [len(each.embedding) for each in found] == [64, 64]
    assert multiply(found[0].embedding, found[0].embedding) == pytest.approx(1, abs=1e-6)
    alone = embed(call, build_app(), PAINT, dimensions=64).data[0].embedding
    assert alone == found[1].embedding


def test_base64_holds_the_same_numbers(call):
    """Both spellings are of one vector."""
    packed = embed(call, build_app(), LATHE, encoding_format="base64").data[0].embedding
    assert len(b64decode(packed)) == 4 * DEFAULT_DIMENSIONS
    plain = embed(call, build_app(), LATHE, encoding_format="float").data[0].embedding
    assert parse_vector(packed) == pytest.approx(plain, abs=1e-6)


def test_texts_about_the_same_thing_are_near():
    """Shared words count, in another form, too; words that stand in every text hardly do."""
    vectors = {text: build_vector(text, DEFAULT_DIMENSIONS) for text in (LATHE, SAME, PAINT)}
    near = multiply(vectors[LATHE], vectors[SAME])
    far = [multiply(vectors[one], vectors[PAINT]) for one in (LATHE, SAME)]
    assert near > 0.5
    assert max(far) < 0.1


@pytest.mark.parametrize(("text", "n"), list(product(["42", "!?", "the", "é", "\ud800"], [1, 7])))
def test_every_text_has_a_direction(text, n):
    """Numbers, marks and single words get a vector, too, at any number of dimensions."""
    vector = build_vector(text, n)
    assert multiply(vector, vector) == pytest.approx(1)


def test_the_usage_is_the_texts_tokens(call):
    """Nothing is charged for the vector, and the tally adds up what was charged."""
    app = build_app()
    usage = embed(call, app, [LATHE, PAINT]).usage
    n_tokens = count_tokens_approximately(LATHE) + count_tokens_approximately(PAINT)
    assert (usage.prompt_tokens, usage.total_tokens) == (n_tokens, n_tokens)
    assert (app.tally.n_answered, app.tally.prompt_tokens) == (1, n_tokens)
    assert app.tally.completion_tokens == 0


def test_a_chat_model_makes_no_vectors(call):
    """The error names the model that does, and the other way round."""
    with pytest.raises(NotFoundError, match="hashed-words"):
        embed(call, build_app(), LATHE, model="extractive")


@pytest.mark.parametrize(("text", "parameters"), [("", {}), ([], {}), (LATHE, {"dimensions": 0})])
def test_what_cannot_be_embedded_is_a_bad_request(call, text, parameters):
    """As at OpenAI's own endpoint, an empty text is refused."""
    with pytest.raises(BadRequestError):
        embed(call, build_app(), text, **parameters)
