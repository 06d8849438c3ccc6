"""Photographs: what is taken and refused, that nothing of the sent file stays, and who may see them."""

import datetime
import io
import struct
import zlib
from datetime import date
from pathlib import Path

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image, ImageCms, PngImagePlugin

from sessions_app import photographs
from sessions_app.models import Photograph, SessionDraft
from sessions_app.photographs import MOST_PIXELS, name_of, prepare, store_photograph, thumbnail_name_of
from stsclinic.audit.acting import acting
from stsclinic.audit.models import Change, Event
from stsclinic.audit.services import strike_out
from tests.builders import (
    make_assessment,
    make_clinic,
    make_injection,
    make_lesion,
    make_patient,
    make_series,
    make_session,
    make_user,
)

NOW = datetime.datetime(2026, 3, 10, 12, 0, tzinfo=datetime.UTC)
SECRETS = (b"Karen Blixen", b"GPSLatitude-55.9", b"DeviceSerial77", b"Rungsted")


def picture(width: int = 60, height: int = 40, mode: str = "RGB") -> Image.Image:
    """Left half red, right half blue: what is turned shows."""
    image = Image.new(mode, (width, height), "red")
    image.paste("blue", (width // 2, 0, width, height))
    return image


def encoded(image: Image.Image, image_format: str, **options) -> bytes:
    written = io.BytesIO()
    image.save(written, image_format, **options)
    return written.getvalue()


def upload(data: bytes, name: str = "IMG_0001.jpg", content_type: str = "image/jpeg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type=content_type)


def with_secrets() -> bytes:
    """A JPEG that tells who, where and with what, in every place that a JPEG has for it."""
    exif = Image.Exif()
    exif[0x0112] = 6  # held upright: to be turned by a quarter
    exif[0x010E] = "Karen Blixen"
    exif[0x9286] = "Rungsted"
    exif[0xA431] = "DeviceSerial77"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4], gps[27] = (
        "N",
        (55.0, 53.0, 1.0),
        "E",
        (12.0, 32.0, 1.0),
        b"GPSLatitude-55.9",
    )
    return encoded(
        picture(),
        "JPEG",
        exif=exif,
        comment=b"Rungsted",
        xmp=b"<x:xmpmeta>Karen Blixen</x:xmpmeta>",
        quality=95,
    )


def as_png_bomb() -> bytes:
    """A PNG of 30 000 × 30 000 pixels in a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 9))
        + chunk(b"IEND", b"")
    )


def animated(image_format: str) -> bytes:
    return encoded(picture(), image_format, save_all=True, append_images=[picture(mode="RGB").rotate(180)])


def is_red(pixel) -> bool:
    return pixel[0] > 200 and pixel[2] < 80


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_the_formats_that_are_read(image_format):
    prepared = prepare(
        upload(encoded(picture(), image_format), name="anything.txt", content_type="text/plain")
    )
    stored = Image.open(io.BytesIO(prepared.image))
    assert (stored.format, stored.mode, stored.size) == ("JPEG", "RGB", (60, 40))
    assert (prepared.width_px, prepared.height_px) == (60, 40)
    assert is_red(stored.getpixel((5, 20)))
    assert not is_red(stored.getpixel((55, 20)))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a web page", b"<html><script>alert(1)</script></html>"),
        ("a GIF", encoded(picture(), "GIF")),
        ("a TIFF", encoded(picture(), "TIFF")),
        ("a BMP", encoded(picture(), "BMP")),
        ("a PDF", b"%PDF-1.7\n%%EOF"),
        ("an SVG", b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'),
        ("PostScript", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
        ("a JPEG's beginning and then nothing", b"\xff\xd8\xff\xe0\x00\x10JFIF"),
        ("half a JPEG", encoded(picture(600, 400), "JPEG")[:-900]),
        ("half a PNG", encoded(picture(600, 400), "PNG")[:-200]),
        ("half a WebP", encoded(Image.effect_noise((300, 200), 90), "WEBP")[:-900]),
        ("a bomb", as_png_bomb()),
        ("an animated PNG", animated("PNG")),
        ("an animated WebP", animated("WEBP")),
        ("16 bits a pixel", encoded(Image.new("I;16", (9, 9), 40_000), "PNG")),
        ("HEIC", b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + b"\x00" * 90),
        ("zeros", b"\x00" * 5000),
    ],
)
def test_what_is_refused_with_a_sentence(name, data):
    with pytest.raises(ValidationError) as refused:
        prepare(upload(data, name="holiday.jpg"))
    (sentence,) = refused.value.messages
    assert sentence.endswith(".")
    assert len(sentence) > 20


def test_the_sentences_say_why():
    for data, words in (
        (as_png_bomb(), "far more pixels"),
        (animated("WEBP"), "animation"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "HEIC"),
        (b"no picture", "something else"),
    ):
        with pytest.raises(ValidationError, match=words):
            prepare(upload(data))


def test_the_size_in_bytes_has_an_edge(settings):
    data = encoded(picture(), "JPEG")
    settings.PHOTOGRAPH_MAX_BYTES = len(data)
    prepare(upload(data))
    settings.PHOTOGRAPH_MAX_BYTES = len(data) - 1
    with pytest.raises(ValidationError, match="too large"):
        prepare(upload(data))


def test_the_size_in_pixels_has_an_edge(monkeypatch):
    assert MOST_PIXELS >= 48_000_000
    monkeypatch.setattr(photographs, "MOST_PIXELS", 2400)
    prepare(upload(encoded(picture(60, 40), "PNG")))
    with pytest.raises(ValidationError, match="61 × 40 pixels"):
        prepare(upload(encoded(picture(61, 40), "PNG")))


def test_a_phone_s_double_picture_is_no_animation():
    double = encoded(picture(), "MPO", save_all=True, append_images=[picture(30, 20)])
    assert (prepare(upload(double)).width_px, prepare(upload(double)).height_px) == (60, 40)


def test_it_is_turned_as_it_was_held():
    prepared = prepare(upload(with_secrets()))
    stored = Image.open(io.BytesIO(prepared.image))
    assert stored.size == (40, 60)
    assert is_red(stored.getpixel((20, 5)))
    assert not is_red(stored.getpixel((20, 55)))


def test_nothing_that_travelled_in_the_file_is_kept():
    sent = with_secrets()
    assert all(secret in sent for secret in SECRETS), "the file does not hold what is looked for"
    prepared = prepare(upload(sent + b"PK\x03\x04 Karen Blixen"))
    for data in (prepared.image, prepared.thumbnail):
        assert not [secret for secret in (*SECRETS, b"Exif", b"GPS", b"xmp", b"PK\x03\x04") if secret in data]
        stored = Image.open(io.BytesIO(data))
        assert not stored.getexif()
        assert not {"exif", "comment", "xmp", "icc_profile"} & stored.info.keys()


PAGE = b"<html><script>alert(document.domain)</script></html>"


def test_a_file_that_is_two_things_stays_a_picture_only():
    """A telephone may append what it likes to its pictures, so this is no reason to refuse; none of it is kept."""
    within = encoded(picture(), "JPEG", comment=PAGE)
    for sent in (encoded(picture(), "JPEG") + PAGE, within, encoded(picture(), "PNG") + b"PK\x03\x04" + PAGE):
        prepared = prepare(upload(sent))
        assert b"script" not in prepared.image + prepared.thumbnail
        assert Image.open(io.BytesIO(prepared.image)).size == (60, 40)
    with pytest.raises(ValidationError, match="something else"):
        prepare(upload(PAGE + encoded(picture(), "JPEG")))


def test_a_thumbnail_within_the_file_is_not_kept():
    exif = Image.Exif()
    exif.get_ifd(0x8825)[2] = (55.0, 53.0, 1.0)
    hidden = encoded(Image.new("RGB", (32, 32), "lime"), "JPEG")
    sent = encoded(picture(), "JPEG", exif=exif.tobytes() + hidden)
    assert hidden in sent
    stored = prepare(upload(sent)).image
    assert hidden not in stored
    assert stored.count(b"\xff\xd8\xff") == 1


def test_a_colour_profile_is_not_kept():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    sent = encoded(picture(), "JPEG", icc_profile=profile)
    assert b"ICC_PROFILE" in sent
    assert b"ICC_PROFILE" not in prepare(upload(sent)).image


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch):
    unpacked = []
    monkeypatch.setattr(Image.Image, "load", lambda image: unpacked.append(image))
    with pytest.raises(ValidationError, match="far more pixels"):
        prepare(upload(as_png_bomb()))
    assert not unpacked


def test_a_png_s_texts_are_not_kept():
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", "Karen Blixen")
    assert b"Karen" not in prepare(upload(encoded(picture(), "PNG", pnginfo=texts))).image


def test_what_is_see_through_lies_on_white():
    image = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
    stored = Image.open(io.BytesIO(prepare(upload(encoded(image, "PNG"))).image))
    assert min(stored.getpixel((10, 10))) > 240


def test_a_colour_profile_is_applied_and_a_broken_one_ignored():
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (srgb, b"no profile"):
        stored = Image.open(
            io.BytesIO(prepare(upload(encoded(picture(), "JPEG", icc_profile=profile))).image)
        )
        assert is_red(stored.getpixel((5, 20)))


def test_the_thumbnail_is_small():
    prepared = prepare(upload(encoded(picture(1600, 900), "JPEG")))
    assert Image.open(io.BytesIO(prepared.thumbnail)).size == (480, 270)


# Kept and served -------------------------------------------------------------------------------------------


@pytest.fixture
def folder(settings, tmp_path) -> Path:
    options = {**settings.STORAGES["default"]["OPTIONS"], "location": tmp_path / "photographs"}
    settings.STORAGES = {**settings.STORAGES, "default": {**settings.STORAGES["default"], "OPTIONS": options}}
    return tmp_path / "photographs"


@pytest.fixture
def case(db, folder):
    """A nurse and her patient's lesion; a patient of the same clinic, and one of another."""

    class Case:
        clinic = make_clinic("north")
        nurse = make_user("nurse", clinic)
        patient = make_patient(clinic)
        lesion = make_lesion(patient)
        series = make_series(patient, [lesion])
        session = make_session(series, date(2026, 3, 2))
        other = make_lesion(make_patient(clinic))
        elsewhere = make_lesion(make_patient(make_clinic("south")))

    Case.client = Client()
    Case.client.force_login(Case.nurse)
    Case.new = reverse("photograph_new", args=[Case.lesion.pk])
    with time_machine.travel(NOW, tick=False):
        yield Case


def kept(case, **values) -> Photograph:
    options = {"lesion": case.lesion, "taken_on": date(2026, 3, 9), "by": case.nurse.username}
    return store_photograph(file=upload(encoded(picture(), "JPEG")), **(options | values))


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_sent_stored_and_served(case, folder):
    answer = case.client.post(case.new, {"photograph": upload(with_secrets()), "taken_on": "2026-03-09"})
    assert answer.status_code == 302
    assert answer.url == reverse("patient", args=[case.patient.pk]) + "#photographs"
    row = Photograph.objects.get()
    assert (row.lesion, row.taken_on, row.width_px, row.height_px) == (case.lesion, date(2026, 3, 9), 40, 60)
    assert sorted(path.name for path in files(folder)) == sorted([name_of(row), thumbnail_name_of(row)])
    for path in files(folder):
        assert not [secret for secret in SECRETS if secret in path.read_bytes()]
        assert path.stat().st_mode & 0o077 == 0
        assert case.patient.study_id not in str(path)
    full = case.client.get(reverse("photograph", args=[row.token]))
    assert b"".join(full.streaming_content) == default_storage.open(name_of(row)).read()
    small = case.client.get(reverse("photograph_thumbnail", args=[row.token]))
    assert b"".join(small.streaming_content) == default_storage.open(thumbnail_name_of(row)).read()
    for served in (full, small):
        assert served["Content-Type"] == "image/jpeg"
        assert served["X-Content-Type-Options"] == "nosniff"
        assert "no-store" in served["Cache-Control"]
        assert "private" in served["Cache-Control"]
        assert served["Content-Disposition"] == 'inline; filename="photograph.jpg"'


def test_only_the_full_view_is_logged(case):
    row = kept(case)
    case.client.get(reverse("photograph_thumbnail", args=[row.token]))
    assert not Event.objects.filter(kind="photograph_viewed").exists()
    case.client.get(reverse("photograph", args=[row.token]))
    event = Event.objects.get(kind="photograph_viewed")
    assert (event.actor, event.patient_pk) == (case.nurse.username, case.patient.pk)


def test_it_belongs_to_the_session_or_the_draft_that_is_named(case):
    draft = SessionDraft.objects.create(series=case.series, kind="treatment", opened_by=case.nurse)
    for name, row in (("session", case.session), ("draft", draft)):
        page = case.client.get(f"{case.new}?{name}={row.pk}").content.decode()
        assert f'name="{name}" value="{row.pk}"' in page
        sent = {"photograph": upload(encoded(picture(), "PNG")), "taken_on": "2026-03-02", name: row.pk}
        assert case.client.post(case.new, sent).url == reverse(name, args=[row.pk])
        photograph = Photograph.objects.latest("pk")
        assert (photograph.session, photograph.draft) == ((row, None) if name == "session" else (None, row))


def test_a_completed_session_leads_to_a_photograph_of_each_of_its_lesions(case):
    second, unseen = make_lesion(case.patient), make_lesion(case.patient)
    make_assessment(case.session, case.lesion)
    make_injection(case.session, second)
    where = [
        f'"{reverse("photograph_new", args=[row.pk])}?session={case.session.pk}"'
        for row in (case.lesion, second, unseen)
    ]
    page = case.client.get(reverse("session", args=[case.session.pk])).content.decode()
    assert [page.count(link) for link in where] == [1, 1, 0]
    case.client.force_login(make_user("data_manager", case.clinic))
    page = case.client.get(reverse("session", args=[case.session.pk])).content.decode()
    assert not any(link in page for link in where)


def test_from_the_camera_or_as_a_file_but_not_both(case, folder):
    sent = {"taken_on": "2026-03-09", "from_camera": upload(encoded(picture(), "JPEG"))}
    assert case.client.post(case.new, sent).status_code == 302
    sent = {"taken_on": "2026-03-09"}
    for name in ("from_camera", "photograph"):
        sent[name] = upload(encoded(picture(), "JPEG"))
    assert "Send one photograph" in case.client.post(case.new, sent).content.decode()
    answer = case.client.post(case.new, {"taken_on": "2026-03-09", "from_camera": upload(b"no picture")})
    assert 'href="#id_from_camera"' in answer.content.decode()
    assert Photograph.objects.count() == 1
    assert len(files(folder)) == 2


def test_a_draft_that_was_completed_meanwhile_passes_it_on(case):
    draft = SessionDraft.objects.create(
        series=case.series, kind="treatment", opened_by=case.nurse, state="completed", session=case.session
    )
    row = kept(case, draft=draft)
    assert (row.draft, row.session) == (None, case.session)


def test_sessions_and_drafts_of_another_patient_are_refused(case, folder):
    for lesion in (case.other, case.elsewhere):
        series = make_series(lesion.patient, [lesion])
        session = make_session(series, date(2026, 3, 2))
        draft = SessionDraft.objects.create(series=series, kind="treatment", opened_by=case.nurse)
        for name, row in (("session", session), ("draft", draft)):
            assert case.client.get(f"{case.new}?{name}={row.pk}").status_code == 404
            sent = {"photograph": upload(encoded(picture(), "PNG")), "taken_on": "2026-03-02", name: row.pk}
            assert case.client.post(case.new, sent).status_code == 404
            with pytest.raises(ValidationError, match="of this patient"):
                kept(case, **{name: row})
    assert not Photograph.objects.exists()
    assert not files(folder)


@pytest.mark.parametrize(
    ("photograph", "taken_on", "words"),
    [
        (None, "2026-03-09", "Choose a file."),
        (b"", "2026-03-09", "The file is empty."),
        (b"no picture", "2026-03-09", "could not be read as a photograph"),
        (b"ok", "2026-03-11", "The date is in the future."),
        (b"ok", "", "Choose the file again"),
        (b"ok", "9 March", "Enter a date"),
        ("text instead of a file", "2026-03-09", "Choose a file."),
    ],
)
def test_what_is_refused_leaves_nothing(case, folder, photograph, taken_on, words):
    sent = {"taken_on": taken_on}
    if photograph is not None:
        data = encoded(picture(), "JPEG") if photograph == b"ok" else photograph
        sent["photograph"] = upload(data) if isinstance(data, bytes) else data
    before = Change.objects.count()
    answer = case.client.post(case.new, sent)
    assert answer.status_code in (200, 422)
    assert words in answer.content.decode()
    assert Change.objects.count() == before
    assert not files(folder)


SHORT = {"HTTP_ACCEPT": "application/json"}
"""What the script of the page asks for, which keeps the file on the page until it is told that it is kept."""


def test_the_script_is_told_where_to_go_on_and_the_next_page_says_that_it_was_kept(case, folder):
    sent = {"photograph": upload(encoded(picture(), "JPEG")), "taken_on": "2026-03-09"}
    answer = case.client.post(case.new, sent, **SHORT)
    assert answer.status_code == 200
    assert len(files(folder)) == 2
    page = case.client.get(answer.json()["next"].partition("#")[0]).content.decode()
    assert f"The photograph of {case.lesion.lesion_id} was kept." in page


@pytest.mark.parametrize(
    ("photograph", "taken_on", "errors"),
    [
        (b"ok", "2026-03-11", {"taken_on": ["The date is in the future."]}),
        (b"ok", "", {"taken_on": ["This field is required."]}),
        (b"no picture", "2026-03-09", {"photograph"}),
        (b"", "2026-03-09", {"photograph": ["The file is empty."]}),
        (b"no picture", "", {"taken_on"}),
    ],
)
def test_the_script_is_told_what_is_wrong_and_never_to_choose_the_file_again(
    case, folder, photograph, taken_on, errors
):
    data = encoded(picture(), "JPEG") if photograph == b"ok" else photograph
    answer = case.client.post(case.new, {"photograph": upload(data), "taken_on": taken_on}, **SHORT)
    assert answer.status_code == 200
    told = answer.json()["errors"]
    assert told == errors if isinstance(errors, dict) else told.keys() == errors
    assert not files(folder)


@pytest.mark.parametrize("is_completed", [False, True])
@pytest.mark.parametrize("name", ["", "session", "draft"])
def test_sent_again_since_no_answer_came_it_is_kept_once(case, folder, name, is_completed):
    draft = SessionDraft.objects.create(series=case.series, kind="treatment", opened_by=case.nurse)
    rows = {"session": case.session, "draft": draft}
    belongs = {name: rows[name].pk} if name else {}
    for again in range(2):
        if again and is_completed:
            with acting(by="test", source="command"):
                Photograph.objects.filter(draft=draft).update(draft=None, session=case.session)
                SessionDraft.objects.filter(pk=draft.pk).update(state="completed", session=case.session)
        sent = {"photograph": upload(encoded(picture(), "JPEG")), "taken_on": "2026-03-02"} | belongs
        assert "next" in case.client.post(case.new, sent, **SHORT).json()
    assert (Photograph.objects.count(), len(files(folder))) == (1, 2)


@pytest.mark.parametrize("other", ["day", "lesion", "session", "picture"])
def test_what_differs_from_one_that_is_there_is_another(case, folder, other):
    sent = {"taken_on": "2026-03-02"}
    case.client.post(case.new, sent | {"photograph": upload(encoded(picture(), "JPEG"))})
    page = case.new
    image = picture()
    if other == "day":
        sent["taken_on"] = "2026-03-01"
    elif other == "lesion":
        page = reverse("photograph_new", args=[make_lesion(case.patient).pk])
    elif other == "session":
        sent["session"] = case.session.pk
    else:
        image = image.rotate(180)
    case.client.post(page, sent | {"photograph": upload(encoded(image, "JPEG"))})
    assert Photograph.objects.count() == 2


def test_one_that_was_struck_out_can_be_sent_again(case):
    sent = {"taken_on": "2026-03-02"}
    for _ in range(2):
        case.client.post(case.new, sent | {"photograph": upload(encoded(picture(), "JPEG"))})
        strike_out(Photograph.objects.get(), by="test", reason="test")
    assert Photograph.everything.count() == 2


def test_without_its_row_no_file_stays(case, folder, monkeypatch):
    seen = []

    def fail(*args, **kwargs):
        seen.extend(files(folder))
        raise RuntimeError

    monkeypatch.setattr(photographs, "write_new", fail)
    with pytest.raises(RuntimeError):
        kept(case)
    assert len(seen) == 2, "the files must be on the disk before the row is"
    assert not files(folder)
    assert not Photograph.objects.exists()


def test_without_its_thumbnail_no_file_stays(case, folder, monkeypatch):
    keep = photographs._keep

    def fail_second(name, data):
        if name.endswith(".small.jpg"):
            raise OSError
        keep(name, data)

    monkeypatch.setattr(photographs, "_keep", fail_second)
    with pytest.raises(OSError):  # noqa: PT011
        kept(case)
    assert not files(folder)
    assert not Photograph.objects.exists()


def test_both_files_and_their_folder_are_on_the_disk_before_it_is_confirmed(case, monkeypatch):
    synced = []
    fsync = photographs.os.fsync

    def note(handle):
        assert not Photograph.objects.exists(), "the row is there before its files are on the disk"
        synced.append(Path(f"/proc/self/fd/{handle}").resolve())
        fsync(handle)

    monkeypatch.setattr(photographs.os, "fsync", note)
    row = kept(case)
    paths = [Path(default_storage.path(name)) for name in (name_of(row), thumbnail_name_of(row))]
    assert set(paths) | {paths[0].parent} <= set(synced)


def test_a_struck_out_one_is_not_found(case):
    row = kept(case)
    strike_out(row, by="test", reason="another lesion's")
    for name in ("photograph", "photograph_thumbnail"):
        assert case.client.get(reverse(name, args=[row.token])).status_code == 404


def test_that_of_a_struck_out_lesion_is_not_found(case):
    row = kept(case)
    strike_out(case.lesion, by="test", reason="seen twice")
    assert case.client.get(reverse("photograph", args=[row.token])).status_code == 404


def test_a_lost_file_is_not_found(case):
    row = kept(case)
    default_storage.delete(name_of(row))
    assert case.client.get(reverse("photograph", args=[row.token])).status_code == 404


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("clinician", True),
        ("nurse", True),
        ("investigator", False),
        ("observer", False),
        ("data_manager", False),
        ("administrator", False),
    ],
)
def test_who_may(case, folder, role, allowed):
    row = kept(case)
    colleague, outsider, signed_out = Client(), Client(), Client()
    colleague.force_login(make_user(role, case.clinic))
    outsider.force_login(make_user(role, make_clinic()))
    addresses = [
        case.new,
        reverse("photograph", args=[row.token]),
        reverse("photograph_thumbnail", args=[row.token]),
    ]
    for address in addresses:
        assert colleague.get(address).status_code == (200 if allowed else 404)
        assert outsider.get(address).status_code == 404
        assert signed_out.get(address).status_code == 302
    for client, status in ((outsider, 404), (signed_out, 302)):
        sent = {"photograph": upload(encoded(picture(), "JPEG")), "taken_on": "2026-03-09"}
        assert client.post(case.new, sent).status_code == status
    assert len(files(folder)) == 2


def test_the_earlier_ones_stand_beside_the_form(case):
    row = kept(case)
    page = case.client.get(case.new).content.decode()
    assert reverse("photograph_thumbnail", args=[row.token]) in page
    assert "Left elbow" in page
