"""An uploaded file → a picture that a mail can carry: known type, no larger than a screen, nothing hidden in it.

It is decoded and written anew: what is not an image is refused, and place, camera and comments of a photograph
are left behind. Pure.
"""

from __future__ import annotations

import re
import unicodedata
import warnings
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps

from outreach.content.problem import ContentProblem, Where

MOST_BYTES = 10_000_000  # of an upload: a telephone's photograph has 3 to 8 MB
MOST_PIXELS = 50_000_000  # decoded, 150 MB: beyond it, a bomb
WIDEST = 1200  # two pixels for each of a mail's 600, for sharp screens
HEAVY = 300_000  # bytes; above, a PNG without transparency becomes a JPEG
FRAMES = 200  # of an animation
FORMATS = {"PNG": "png", "JPEG": "jpg", "GIF": "gif"}


@dataclass(frozen=True)
class Prepared:
    """The file as it is stored: `name` is safe, `width` and `height` are in pixels."""

    name: str
    data: bytes
    width: int
    height: int
    alpha: bool = False


def prepare(name: str, data: bytes) -> Prepared:
    """Check, turn upright, make smaller, write anew; raises ContentProblem."""
    if len(data) > MOST_BYTES:
        raise ContentProblem("picture.large", Where(name), megabytes=MOST_BYTES // 1_000_000)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(BytesIO(data), formats=list(FORMATS))
            if image.width * image.height > MOST_PIXELS:
                raise ContentProblem("picture.pixels", Where(name), width=image.width, height=image.height)
            return _written(name, image)
    except ContentProblem:
        raise
    except Exception as error:  # decoders raise a dozen kinds for what is no picture
        raise ContentProblem("picture.unreadable", Where(name), detail=type(error).__name__) from error


def _written(name: str, image: Image.Image) -> Prepared:
    if getattr(image, "n_frames", 1) > 1:
        return _animation(name, image)
    still = _smaller(ImageOps.exif_transpose(image))
    alpha = _has_alpha(still)
    if image.format == "JPEG" or (image.format == "PNG" and not alpha and len(_png(still)) > HEAVY):
        return _prepared(name, "jpg", _jpeg(still), still)
    return _prepared(name, "png", _png(still), still, alpha)


def _animation(name: str, image: Image.Image) -> Prepared:
    frames = []
    for number in range(min(getattr(image, "n_frames", 1), FRAMES)):
        image.seek(number)
        frames.append(_smaller(image.convert("RGBA")))
    out = BytesIO()
    duration = image.info.get("duration", 100)
    frames[0].save(
        out,
        "GIF",
        save_all=True,
        append_images=frames[1:],
        loop=image.info.get("loop", 0),
        duration=duration,
        disposal=2,
    )
    return _prepared(name, "gif", out.getvalue(), frames[0])


def _smaller(image: Image.Image) -> Image.Image:
    if image.width <= WIDEST:
        return image
    height = max(1, round(image.height * WIDEST / image.width))
    return image.convert("RGBA" if _has_alpha(image) else "RGB").resize((WIDEST, height), Image.Resampling.LANCZOS)


def _has_alpha(image: Image.Image) -> bool:
    if image.mode in ("RGBA", "LA"):
        low, _ = image.getchannel("A").getextrema()
        return float(low if isinstance(low, (int, float)) else 0) < 255
    return "transparency" in image.info


def _png(image: Image.Image) -> bytes:
    out = BytesIO()
    clean = image if image.mode in ("RGB", "RGBA", "L", "LA", "P") else image.convert("RGB")
    clean.info = {key: value for key, value in clean.info.items() if key == "transparency"}
    clean.save(out, "PNG", optimize=True)
    return out.getvalue()


def _jpeg(image: Image.Image) -> bytes:
    out = BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=85, optimize=True, progressive=True)
    return out.getvalue()


def _prepared(name: str, ending: str, data: bytes, image: Image.Image, alpha: bool = False) -> Prepared:
    return Prepared(f"{safe_stem(name)}.{ending}", data, image.width, image.height, alpha)


def safe_stem(name: str) -> str:
    """`../产品 图 (1).PNG` → `产品-图-1`: letters, digits and hyphens, made by us from what was sent."""
    stem = unicodedata.normalize("NFKC", name).replace("\\", "/").rpartition("/")[2].rpartition(".")[0] or "picture"
    return re.sub(r"[^\w]+", "-", stem).strip("-_").lower()[:60] or "picture"
