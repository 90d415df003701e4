import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from llm_assets.config.images import ImageSettings
from llm_assets.core.image_headers import HEAD_BYTES
from llm_assets.core.images import ImageFile, ImagePart, ImageProblem
from llm_assets.errors import ConfigError
from llm_assets.gateways.image_files import CHANGED, ImageFiles, find_images, hash_images
from llm_assets.gateways.project import Project
from llm_assets.gateways.snapshots import take_snapshot
from llm_assets.gateways.tasks import load_task
from llm_assets_tests.end_to_end.tiny_project import build_project
from llm_assets_tests.gateways.stages import MAY
from llm_assets_tests.pictures import build_gif, build_jpeg, build_png, build_webp, write_picture

PNG = build_png()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A project with two folders of pictures and some files that are none of theirs."""
    write_picture(tmp_path / "scans" / "a.png")
    write_picture(tmp_path / "scans" / "deep" / "b.png", build_png(shade=1))
    write_picture(tmp_path / "more" / "c.png", build_png(shade=2))
    write_picture(tmp_path / "more" / "a.png", build_png(shade=3))
    write_picture(tmp_path / "secret.png", build_png(shade=4))
    write_picture(tmp_path / "scans-old" / "d.png", build_png(shade=5))
    return tmp_path


def open_files(home: Path, **given: object) -> ImageFiles:
    settings = ImageSettings.model_validate(
        {"columns": ["scan"], "roots": ["scans", "more"], **given}
    )
    roots = tuple(Path(os.path.realpath(home / root)) for root in settings.roots)
    return ImageFiles(settings=settings, home=home, roots=roots)


def get_file(found: object) -> ImageFile:
    assert isinstance(found, ImageFile), found
    return found


def get_problem(found: object) -> str:
    assert isinstance(found, ImageProblem), found
    return found.text


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("a.png", "scans/a.png"),
        ("deep/b.png", "scans/deep/b.png"),
        ("c.png", "more/c.png"),
        ("more/a.png", "more/a.png"),
        ("scans/deep/b.png", "scans/deep/b.png"),
        ("deep/../a.png", "scans/a.png"),
        ("../more/c.png", "more/c.png"),
        ("./a.png", "scans/a.png"),
    ],
)
def test_a_path_starts_from_a_root_or_from_the_project(home: Path, source: str, path: str):
    """The first root that has the file counts, then the project, as long as the file lies in one of the roots."""
    content = (home / path).read_bytes()
    found = get_file(open_files(home).find(source))
    assert found.sha256 == hashlib.sha256(content).hexdigest()
    assert (found.n_bytes, found.media_type) == (len(content), "image/png")
    assert open_files(home).find(str(home / path)) == found


@pytest.mark.parametrize(
    "source",
    [
        "../secret.png",
        "secret.png/../../secret.png",
        "deep/../../secret.png",
        "/etc/hostname",
        "../scans-old/d.png",
        "{home}/secret.png",
        "{home}/scans-old/d.png",
        "{home}",
    ],
)
def test_nothing_outside_of_the_roots_is_read(home: Path, source: str):
    """`..` and absolute paths lead nowhere else, also not into a folder whose name begins alike."""
    found = open_files(home).find(source.format(home=home))
    assert "lies outside of the folders that `images.roots` names" in get_problem(found)


def test_links_are_followed_before_it_is_decided(home: Path):
    """A link that leaves the roots is refused, one that stays inside is not, and a root may be a link itself."""
    (home / "scans" / "out.png").symlink_to(home / "secret.png")
    (home / "scans" / "folder").symlink_to(home / "scans-old")
    (home / "scans" / "in.png").symlink_to(home / "more" / "c.png")
    (home / "scans" / "loop.png").symlink_to(home / "scans" / "loop.png")
    (home / "linked").symlink_to(home / "scans")
    files = open_files(home)
    assert "outside" in get_problem(files.find("out.png"))
    assert "outside" in get_problem(files.find("folder/d.png"))
    assert get_file(files.find("in.png")) == files.find("c.png")
    assert isinstance(files.find("loop.png"), ImageProblem)
    assert get_file(open_files(home, roots=["linked"]).find("a.png")) == files.find("scans/a.png")


def test_every_trouble_with_a_file_is_told(home: Path):
    """Whatever a cell names, it is a picture or a reason, and no reason holds a path of this machine."""
    scans = home / "scans"
    write_picture(scans / "text.png", b"Dear Sir, this is no picture.")
    write_picture(scans / "broken.png", PNG[:20])
    write_picture(scans / "empty.png", b"")
    write_picture(scans / "large.png", PNG + bytes(2000))
    os.mkfifo(scans / "pipe.png")
    reasons = {
        "gone.png": "does not exist",
        "text.png": "is no PNG, JPEG, GIF or WebP picture, whatever its name says",
        "broken.png": "begins like a PNG file, but its header is broken",
        "empty.png": "is an empty file",
        "large.png": f"has {len(PNG) + 2000:,} bytes, and `images.max_bytes` allows 1,000",
        "deep": "it is no file",
        "pipe.png": "it is no file",
        "a.png/b.png": "does not exist",
        "x" * 300: "file name too long",
        "nul\x00.png": "that is no name of a file",
        "https://example.com/a.png": "is an address, and only files are sent (`images.allow_urls`)",
        "data:image/png;base64,AAAA": "is an address",
        "FILE:///etc/hostname": "is an address",
    }
    files = open_files(home, max_bytes=1000)
    for source, reason in reasons.items():
        problem = get_problem(files.find(source))
        assert reason in problem
        assert str(home) not in problem


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("https://example.com/a.png?x=1", None),
        ("HTTP://example.com/a.png", None),
        ("data:image/png;base64,AAAA", "is no http:// or https:// address"),
        ("file:///etc/hostname", "is no http:// or https:// address"),
        ("https:///a.png", "is no http:// or https:// address"),
        ("https://[::1/a.png", "is no address that can be read"),
        ("https://me:pw@example.com/a.png", "holds a name or a password"),
        ("a.png", "is no address, and `images.roots` names no folder"),
    ],
)
def test_addresses_are_passed_on_where_they_are_allowed(
    home: Path, source: str, reason: str | None
):
    """An http address is sent as it is and fetched by nobody here; no other kind is."""
    found = open_files(home, roots=[], allow_urls=True).find(source)
    assert (found is None) if reason is None else (reason in get_problem(found))


@pytest.mark.parametrize("name", ["a.jpg", "picture", "a.txt"])
@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PNG, "image/png"),
        (build_jpeg(), "image/jpeg"),
        (build_gif(), "image/gif"),
        (build_webp(), "image/webp"),
    ],
)
def test_the_kind_is_found_in_the_bytes(home: Path, name: str, content: bytes, media_type: str):
    """What a file is called says nothing."""
    write_picture(home / "scans" / name, content)
    assert get_file(open_files(home).find(name)).media_type == media_type


def test_a_large_file_is_hashed_whole(home: Path):
    """What stands behind the first piece that is read counts, too."""
    content = PNG + bytes(2 * HEAD_BYTES)
    write_picture(home / "scans" / "large.png", content)
    found = get_file(open_files(home).find("large.png"))
    assert (found.sha256, found.n_bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    write_picture(home / "scans" / "large.png", content[:-1] + b"\x01")
    assert get_file(open_files(home).find("large.png")).sha256 != found.sha256


def test_only_the_bytes_that_were_hashed_are_loaded(home: Path):
    """A file that was changed, lengthened, lost or swapped for a link since is not sent."""
    files = open_files(home)
    path = home / "scans" / "a.png"
    part = ImagePart(source="a.png", file=get_file(files.find("a.png")), detail=None)
    assert files.load(part) == PNG
    for content in (build_png(shade=9), PNG + b"\x00", PNG[:-1], b""):
        write_picture(path, content)
        assert files.load(part) == CHANGED
    path.unlink()
    assert files.load(part) == CHANGED
    path.symlink_to(home / "secret.png")
    write_picture(home / "secret.png", PNG)
    assert files.load(part) == CHANGED
    path.unlink()
    write_picture(path)
    assert files.load(part) == PNG
    assert files.load(replace(part, file=None)) == CHANGED


IMAGES = "images:\n  columns: [text]\n  roots: [scans]\nllm:\n"


def test_the_digest_of_a_batch_tells_a_changed_file(tmp_path: Path):
    """The table stays as it is, and its pictures' digest changes with a file and comes back with it."""
    tiny = build_project(tmp_path)
    project = Project(root=tmp_path, environ={})
    assert (
        hash_images(
            load_task(project, "notes"), take_snapshot(load_task(project, "notes"), project, MAY)
        )
        is None
    )
    tiny.edit("configs/notes.yaml", "llm:\n", IMAGES)
    with pytest.raises(ConfigError, match=r"`images.roots` names 'scans', which is no folder"):
        find_images(
            load_task(project, "notes"), take_snapshot(load_task(project, "notes"), project, MAY)
        )
    write_picture(tmp_path / "scans" / "a.png")
    tiny.write("data/notes/may.csv", "id,topic,text,internal\n1,x,a.png,y\n2,x,gone.png,y\n")
    task = load_task(project, "notes")
    snapshot = take_snapshot(task, project, MAY)
    before = hash_images(task, snapshot)
    write_picture(tmp_path / "scans" / "a.png", build_png(shade=1))
    changed = hash_images(task, snapshot)
    write_picture(tmp_path / "scans" / "a.png")
    write_picture(tmp_path / "scans" / "gone.png")
    found = hash_images(task, snapshot)
    (tmp_path / "scans" / "gone.png").unlink()
    assert hash_images(task, snapshot) == before
    assert len({before, changed, found}) == 3
