"""Drawn pictures for the invented patients: skin, a plaque that shrinks from visit to visit, a printed marker.

They show what photographs are for; nobody could take one for a photograph of a patient, and each says so.
"""

import io
import random
from decimal import Decimal

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from sessions_app.models import Assessment
from sessions_app.photograph_looks import mark_scale
from sessions_app.photographs import store_photograph

SIZE = (840, 630)
PX_PER_MM = 16
MARKER_MM = 20
CAPTION = "drawn, not a patient"
SKIN, PLAQUE, EDGE = (222, 176, 148), (240, 228, 186), (205, 140, 120)
LESIONS = (("DEMO-02", "L01"), ("DEMO-04", "L01"))
UNMARKED = 1
"""Of each lesion, the last of the pictures are left without a marked scale, to be marked by whoever tries it."""


def draw_lesion(longest_mm: Decimal, widest_mm: Decimal, *, seed: int) -> bytes:
    """A PNG of a plaque of this size on skin, beside a marker of MARKER_MM, with the caption."""
    chance = random.Random(seed)  # noqa: S311 (for a picture, not for a secret)
    grain = Image.effect_noise(SIZE, 14).convert("RGB").filter(ImageFilter.GaussianBlur(1.2))
    picture = Image.blend(Image.new("RGB", SIZE, SKIN), grain, 0.10)
    draw = ImageDraw.Draw(picture)
    # No hand holds a camera twice alike: this is what the ghost helps against.
    x, y = SIZE[0] / 2 + chance.randint(-25, 25), SIZE[1] * 0.42 + chance.randint(-20, 20)
    half = float(longest_mm) * PX_PER_MM / 2, float(widest_mm) * PX_PER_MM / 2
    for grown, colour in ((1.25, EDGE), (1.0, PLAQUE)):
        draw.ellipse(
            (x - half[0] * grown, y - half[1] * grown, x + half[0] * grown, y + half[1] * grown), fill=colour
        )
    picture = picture.filter(ImageFilter.GaussianBlur(2))
    draw = ImageDraw.Draw(picture)
    (left, top), (right, _top) = marker_ends_px()
    draw.rectangle((left - 14, top - 34, right + 14, top + 34), fill="white", outline="black")
    draw.line((left, top, right, top), fill="black", width=2)
    for at in range(MARKER_MM + 1):
        tick = left + at * PX_PER_MM
        draw.line((tick, top, tick, top - (18 if at % 5 == 0 else 10)), fill="black", width=2)
    draw.text((left, top + 6), f"{MARKER_MM} mm", fill="black", font=ImageFont.load_default(20))
    draw.text((14, 10), CAPTION, fill="black", font=ImageFont.load_default(22))
    written = io.BytesIO()
    picture.save(written, "PNG")
    return written.getvalue()


def marker_ends_px() -> tuple[tuple[int, int], tuple[int, int]]:
    """Where the marker begins and ends on every picture."""
    return (60, 505), (60 + MARKER_MM * PX_PER_MM, 505)


def add_pictures(*, by: str) -> None:
    """Give some lesions of the invented patients a picture for each visit at which they were measured."""
    for study_id, lesion_id in LESIONS:
        seen = Assessment.objects.filter(
            lesion__patient__study_id=study_id, lesion__lesion_id=lesion_id, longest_mm__isnull=False
        )
        rows = list(
            seen.select_related("lesion__patient__clinic", "session__series").order_by("session__held_on")
        )
        for number, row in enumerate(rows):
            size = row.longest_mm or Decimal(0), row.widest_mm or Decimal(0)
            drawn = draw_lesion(*size, seed=number)
            photograph = store_photograph(
                lesion=row.lesion,
                file=SimpleUploadedFile("drawn.png", drawn, content_type="image/png"),
                taken_on=row.session.held_on,
                session=row.session,
                by=by,
                source="command",
            )
            if number < len(rows) - UNMARKED:
                mark_scale(
                    photograph=photograph, values=_marker_values(), by=by, seen_version=1, source="command"
                )


def _marker_values() -> dict[str, Decimal | None]:
    (x1, y1), (x2, y2) = marker_ends_px()

    def share(px: int, whole: int) -> Decimal:
        return (Decimal(px) * 100 / whole).quantize(Decimal("0.01"))

    return {
        "marker_x1": share(x1, SIZE[0]),
        "marker_y1": share(y1, SIZE[1]),
        "marker_x2": share(x2, SIZE[0]),
        "marker_y2": share(y2, SIZE[1]),
        "marker_mm": Decimal(MARKER_MM),
    }
