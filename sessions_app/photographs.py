"""Photographs of lesions: read by their content, stored anew without EXIF, written before they are confirmed.

What is stored is never the file that was sent: the picture is decoded and encoded again, so nothing
that travelled in it (place, device, comment, a second file) is kept. Source: design.md, "stack".
"""

import contextlib
import hashlib
import io
import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from PIL import Image, ImageCms, ImageOps

from lesions.models import Lesion
from sessions_app.models import Photograph, SessionDraft, TreatmentSession
from stsclinic.audit.acting import acting
from stsclinic.audit.services import write_new
from stsclinic.clinics.clock import today_in

Image.init()
FORMATS = {
    code: words
    for code, words in {
        "JPEG": "JPEG",
        "PNG": "PNG",
        "WEBP": "WebP",
        "AVIF": "AVIF",
        "HEIF": "HEIC",
    }.items()
    if code in Image.OPEN
}
"""The formats that are read here, HEIC only where the library can."""

MOST_PIXELS = 50_000_000
"""A picture takes 3 bytes of memory a pixel and more while it is turned; a camera's has 12 to 48 million."""
_MOST = f"{MOST_PIXELS // 1_000_000} million"
THUMBNAIL_PX = 480
QUALITY = 92
CONTENT_TYPE = "image/jpeg"
PLAIN_MODES = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"})
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")

WHICH = f"Send a photograph as {', '.join(FORMATS.values())}."
NOT_READ = f"This file could not be read as a photograph: it is damaged, cut short or something else. {WHICH}"


@dataclass(frozen=True)
class Prepared:
    """A photograph as it is stored: JPEG in sRGB, upright, without EXIF, and its thumbnail."""

    image: bytes
    thumbnail: bytes
    width_px: int
    height_px: int


def prepare(file: File) -> Prepared:
    """Read an upload by its content and encode it anew.

    Raises:
        ValidationError: a sentence why it is refused.
    """
    if file.size > settings.PHOTOGRAPH_MAX_BYTES:
        most = settings.PHOTOGRAPH_MAX_BYTES // (1024 * 1024)
        raise ValidationError(f"The file is too large: at most {most} MB.")
    file.seek(0)
    head = file.read(12)
    file.seek(0)
    if "HEIF" not in FORMATS and head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        raise ValidationError(f"HEIC cannot be read here. {WHICH} Most phones can take JPEG instead.")
    try:
        image = _upright(_opened(file))
        return Prepared(_jpeg(image), _thumbnail(image), image.width, image.height)
    except ValidationError:
        raise
    except Image.DecompressionBombError as error:
        raise ValidationError(f"The photograph has far more pixels than can be kept ({_MOST}).") from error
    except Exception as error:
        # Decoders fed with hostile bytes raise what they like; whatever it is, the file is refused.
        raise ValidationError(NOT_READ) from error


def store_photograph(
    *,
    lesion: Lesion,
    file: File,
    taken_on: date,
    by: str,
    session: TreatmentSession | None = None,
    draft: SessionDraft | None = None,
    source: str = "page",
) -> Photograph:
    """Keep a photograph of a lesion; returns when file and row are on the disk. Without the row, no file stays.

    A photograph taken in a draft that was completed meanwhile goes to the session that came of it. The same
    picture of the same lesion and day again, sent since no answer came, is the one that is there.

    Raises:
        ValidationError: {"photograph": …} or {"taken_on": …}; nothing was kept.
    """
    patient = lesion.patient
    if any(row is not None and row.series.patient_id != patient.pk for row in (session, draft)):
        raise ValidationError("Choose a session of this patient.")
    if taken_on > today_in(patient.clinic):
        raise ValidationError({"taken_on": "The date is in the future."})
    try:
        prepared = prepare(file)
    except ValidationError as error:
        raise ValidationError({"photograph": error}) from error
    row = Photograph(
        lesion=lesion,
        session=session,
        draft=draft,
        token=uuid.uuid4(),
        taken_on=taken_on,
        width_px=prepared.width_px,
        height_px=prepared.height_px,
        sha256=hashlib.sha256(prepared.image).hexdigest(),
    )
    files = {name_of(row): prepared.image, thumbnail_name_of(row): prepared.thumbnail}
    try:
        for name, data in files.items():
            _keep(name, data)
        with acting(by=by, source=source):
            if draft is not None:
                _follow(row, SessionDraft.objects.select_for_update().get(pk=draft.pk))
            # Of two at the same moment the second waits here until the first is there to be found.
            # The draft is locked before the lesion, as completing a sheet does.
            Lesion.everything.select_for_update(no_key=True).get(pk=lesion.pk)
            kept = _same(row) or write_new(row, by=by, source=source)
    except BaseException:
        _remove(files)
        raise
    if kept is not row:
        _remove(files)
    return kept


def name_of(photograph: Photograph) -> str:
    """The file's name in the storage: random, without a word about whom it shows."""
    return f"{photograph.token.hex}.jpg"


def thumbnail_name_of(photograph: Photograph) -> str:
    """The name of the file's thumbnail."""
    return f"{photograph.token.hex}.small.jpg"


def _same(row: Photograph) -> Photograph | None:
    """The same picture of the same lesion, day and sheet, where it is kept already."""
    return Photograph.objects.filter(
        lesion=row.lesion, taken_on=row.taken_on, sha256=row.sha256, session=row.session, draft=row.draft
    ).first()


def _follow(row: Photograph, draft: SessionDraft) -> None:
    """Attach the photograph to what has become of its draft."""
    if draft.state != "open":
        row.draft, row.session = None, draft.session


def _opened(file: File) -> Image.Image:
    """The first frame, decoded whole. Only the listed formats are tried, whatever the name says."""
    image = Image.open(file, formats=tuple(FORMATS))
    if image.width * image.height > MOST_PIXELS:
        size = f"{image.width} × {image.height}"
        raise ValidationError(f"The photograph has {size} pixels, more than can be kept ({_MOST}).")
    # A phone's JPEG may carry a second picture (MPO), such as its depth; that is no animation.
    if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":
        raise ValidationError("This is an animation. Send a single photograph.")
    if image.mode not in PLAIN_MODES:
        raise ValidationError("Photographs of more than 8 bits a colour cannot be kept. Save it as JPEG.")
    image.load()
    return image


def _upright(image: Image.Image) -> Image.Image:
    """Turned as it was held, in sRGB on white, and bare of everything but its pixels."""
    profile = image.info.get("icc_profile")
    image = ImageOps.exif_transpose(image)
    if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        ground.alpha_composite(image)
        image = ground
    if profile and image.mode in ("RGB", "CMYK"):
        image = _in_srgb(image, profile)
    image = image.convert("RGB")
    image.info = {}
    return image


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Colours as the camera meant them, since the profile is not kept; unchanged by a profile that is none."""
    with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError):
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, given, ImageCms.createProfile("sRGB"), outputMode="RGB")
        if converted is not None:
            return converted
    return image


def _thumbnail(image: Image.Image) -> bytes:
    small = image.copy()
    small.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    return _jpeg(small)


def _jpeg(image: Image.Image) -> bytes:
    written = io.BytesIO()
    image.save(written, "JPEG", quality=QUALITY)
    return written.getvalue()


def _remove(names: Iterable[str]) -> None:
    for name in names:
        with contextlib.suppress(OSError):
            default_storage.delete(name)


def _keep(name: str, data: bytes) -> None:
    """Write a file of the storage and wait until it, and its name in the folder, are on the disk."""
    path = Path(default_storage.path(default_storage.save(name, ContentFile(data))))
    for written in (path, path.parent, path.parent.parent):
        handle = os.open(written, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
