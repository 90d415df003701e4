import json
from base64 import b64encode

import pytest
from openai import BadRequestError

from llm_assets.core.images import ImageProblem
from llm_assets.gateways.offline_model.app import build_app
from llm_assets.gateways.offline_model.pictures import UNSEEN, Picture, read_picture
from llm_assets_tests.pictures import build_gif, build_jpeg, build_png, build_webp

SIGHT = "title: Invoice 7\nbody: The pump was delivered in May."
FORMAT = {
    "type": "json_schema",
    "json_schema": {
        "name": "LLMOutput",
        "schema": {
            "type": "object",
            "properties": {
                "title": {"type": "string"},
                "kind": {"enum": ["letter", "invoice", "other"]},
            },
            "required": ["title", "kind"],
            "additionalProperties": False,
        },
    },
}


def build_url(content, kind="image/png"):
    return f"data:{kind};base64,{b64encode(content).decode()}"


def show(*urls, text="title: something else\nLook at this letter.", **options):
    pictures = [{"type": "image_url", "image_url": {"url": url, **options}} for url in urls]
    return [{"type": "text", "text": text}, *pictures]


def test_the_description_in_a_png_is_what_is_seen():
    """The text called Description is the sight of a picture; without one, nothing is seen but the size."""
    seen = read_picture(build_url(build_png(6, 5, description=SIGHT)))
    assert seen == Picture(size=(6, 5), description=SIGHT)
    assert read_picture(build_url(build_png(6, 5))) == Picture(size=(6, 5), description="")


@pytest.mark.parametrize(
    ("content", "kind"),
    [(build_jpeg(), "image/jpeg"), (build_gif(), "image/gif"), (build_webp(), "image/webp")],
)
def test_other_formats_are_taken_and_not_seen(content, kind):
    """A picture of another format has a size and no description."""
    assert read_picture(build_url(content, kind)) == Picture(size=(4, 3), description="")


def test_nothing_is_fetched():
    """A picture at an address elsewhere is not seen."""
    assert read_picture("https://example.invalid/p.png") == UNSEEN


def test_an_answer_is_about_the_picture(ask):
    """Where there is something to be seen, it is what the answer is drawn from; else it is the text."""
    app = build_app()
    seeing = ask(app, show(build_url(build_png(description=SIGHT))), response_format=FORMAT)
    assert json.loads(seeing.choices[0].message.content) == {
        "title": "Invoice 7",
        "kind": "invoice",
    }
    for blind in (build_url(build_png()), "https://example.invalid/p.png"):
        answer = ask(app, show(blind), response_format=FORMAT).choices[0].message.content
        assert json.loads(answer)["title"].startswith("something else")


def test_pictures_are_part_of_the_usage(ask):
    """A picture is charged by its size, or as little as low detail costs."""
    app, url = build_app(), build_url(build_png(600, 10))
    usage = [
        ask(app, show(*urls, **detail)).usage.prompt_tokens
        for urls, detail in (((), {}), ((url,), {}), ((url, url), {}), ((url,), {"detail": "low"}))
    ]
    assert [n_tokens - usage[0] for n_tokens in usage] == [0, 425, 850, 85]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("data:image/png;base64,@@@", "is not in base64"),
        (build_url(b"no picture"), "is no PNG, JPEG, GIF or WebP picture"),
        (build_url(build_png()[:20]), "its header is broken"),
        (build_url(build_png(), "image/gif"), "is image/png and is called 'image/gif'"),
    ],
)
def test_broken_pictures_are_refused(ask, url, reason):
    """What is no picture, or another one than it says, is refused as a provider refuses it."""
    assert isinstance(read_picture(url), ImageProblem)
    with pytest.raises(BadRequestError, match=reason):
        ask(build_app(), show(url))
