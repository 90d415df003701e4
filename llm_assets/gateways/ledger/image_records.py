"""What the ledger keeps of a picture that was sent: all that tells it from others, and not its bytes."""

from llm_assets.config.images import ImageDetail
from llm_assets.core.fingerprint import render_json
from llm_assets.core.images import ImageFile, ImagePart
from llm_assets.core.values import FrozenModel


class _KeptImage(FrozenModel):
    detail: ImageDetail | None
    file: ImageFile | None
    url: str | None


def render_image_part(part: ImagePart) -> str:
    """A picture as one of the ledger's parts; a file's path is not kept, as it is no part of the call."""
    url = part.source if part.file is None else None
    kept = _KeptImage(detail=part.detail, file=part.file, url=url)
    return render_json(kept.model_dump(mode="json"))


def parse_image_part(text: str) -> ImagePart:
    """The picture in one of the ledger's parts; where its file lay is not known any more."""
    kept = _KeptImage.model_validate_json(text)
    return ImagePart(source=kept.url or "", file=kept.file, detail=kept.detail)
