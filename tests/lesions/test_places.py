"""A lesion's place on the body map: put, named, moved, kept over the years, and never on the other side."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from lesions.figures import FIGURES, Place
from lesions.models import Lesion
from lesions.services import change_record
from sessions_app.datasheets.checking import Allowed
from sessions_app.datasheets.importing import import_sheets
from sessions_app.datasheets.reading import read_path
from stsclinic.audit.acting import acting
from stsclinic.audit.models import Change
from tests.builders import make_clinic, make_lesion, make_patient, make_user

pytestmark = pytest.mark.django_db

NEW = {"lesion_id": "L01", "lesion_type": "nodule", "subtype": "dystrophic"}
RIGHT_TIP = {
    "put_at": "palms,48.5,200",
    "body_site": "index_finger",
    "laterality": "right",
    "site_detail": "distal phalanx, palmar",
}
LEFT_TIP = RIGHT_TIP | {"put_at": "palms,311.5,200", "laterality": "left"}


@pytest.fixture
def patient():
    return make_patient(make_clinic())


@pytest.fixture
def nurse(client, patient):
    client.force_login(make_user("nurse", patient.clinic))
    return client


def put(patient, **values) -> Lesion:
    where = {"map_figure": "palms", "map_x": Decimal("48.5"), "map_y": Decimal(200)}
    return make_lesion(patient, **{"body_site": "index_finger", "laterality": "right"} | where | values)


def new_page(patient) -> str:
    return reverse("lesion_new", args=[patient.pk])


def edit_page(lesion) -> str:
    return reverse("lesion_edit", args=[lesion.pk])


def sent(lesion, **values) -> dict:
    """The form of a lesion as a browser sends it back."""
    return (
        NEW
        | {
            "lesion_id": lesion.lesion_id,
            "body_site": lesion.body_site,
            "laterality": lesion.laterality,
            "site_detail": lesion.site_detail,
            "put_at": str(lesion.put_at or ""),
            "version": lesion.version,
        }
        | values
    )


@pytest.mark.parametrize("tip", [RIGHT_TIP, LEFT_TIP], ids=["right", "left"])
def test_a_new_lesion_is_put_and_its_history_says_where(nurse, patient, tip):
    assert nurse.post(new_page(patient), NEW | tip).status_code == 302
    lesion = Lesion.objects.get()
    assert str(lesion.put_at) == tip["put_at"]
    assert lesion.put_at.side == lesion.laterality == tip["laterality"]
    written = Change.objects.filter(table_name="lesions_lesion", row_id=lesion.pk).get().new
    assert (written["map_figure"], float(written["map_y"])) == ("palms", 200)


@pytest.mark.parametrize(("put_at", "side"), [("palms,48.5,200", "right"), ("palms,311.5,200", "left")])
@pytest.mark.parametrize("said", ["left", "right", "midline", ""])
def test_a_place_on_the_other_side_is_refused_beside_the_side_and_nothing_typed_is_lost(
    nurse, patient, put_at, side, said
):
    response = nurse.post(new_page(patient), NEW | RIGHT_TIP | {"put_at": put_at, "laterality": said})
    if said == side:
        assert response.status_code == 302
        return
    form = response.context["form"]
    assert form.errors == {
        "laterality": [
            f"On the body map it is on the patient's {side} side. Correct the side, or move it on the map."
        ]
    }
    assert (form["put_at"].value(), form["site_detail"].value()) == (put_at, "distal phalanx, palmar")
    assert f'<option value="{put_at}" selected>' in response.content.decode()
    assert not Lesion.objects.exists()


def test_the_side_of_a_lesion_that_was_put_cannot_be_changed_alone(patient):
    lesion = put(patient)
    with pytest.raises(ValidationError) as refused:
        change_record(lesion, {"laterality": "left"}, seen_version=1, by="test")
    assert set(refused.value.message_dict) == {"laterality"}
    lesion.refresh_from_db()
    assert (lesion.laterality, lesion.version) == ("right", 1)


def test_a_lesion_is_moved_with_its_reason_and_taken_off_the_map_again(nurse, patient):
    lesion = put(patient)
    moved = sent(lesion, put_at="hand_backs,300,198", reason="It is on the back.")
    assert nurse.post(edit_page(lesion), moved).status_code == 302
    lesion.refresh_from_db()
    assert lesion.put_at == Place("hand_backs", 300, 198)
    change = Change.objects.filter(table_name="lesions_lesion", row_id=lesion.pk).latest("id")
    assert (change.reason, change.old["map_figure"], change.new["map_figure"]) == (
        "It is on the back.",
        "palms",
        "hand_backs",
    )
    assert nurse.post(edit_page(lesion), sent(lesion, put_at="")).status_code == 302
    lesion.refresh_from_db()
    assert (lesion.put_at, lesion.map_figure) == (None, "")


def after_the_move(nurse, lesion, **moved):
    """The body map to which the form of a lesion leads that was moved."""
    answer = nurse.post(edit_page(lesion), sent(lesion, **moved), follow=True)
    assert answer.redirect_chain[-1][0] == f"{map_page(lesion)}?moved={lesion.pk}"
    return answer


def map_page(lesion) -> str:
    return reverse("body_map", args=[lesion.patient_id])


def put_back(nurse, lesion, version):
    return nurse.post(reverse("lesion_put_back", args=[lesion.pk]), {"version": version}, follow=True)


def test_after_a_move_the_map_says_from_where_to_where_and_puts_it_back(nurse, patient):
    lesion = put(patient, site_detail="tip")
    there = (
        "hand_backs,300,198",
        {"body_site": "thumb", "site_detail": "nail bed", "lesion_type": "plaque", "reason": "Seen again."},
    )
    answer = after_the_move(nurse, lesion, put_at=there[0], **there[1])
    said = "Lesion L01 was moved. From: {}. To: {}."
    places = ("Right index finger, distal phalanx, palmar", "Right index finger, distal phalanx, dorsal")
    assert said.format(*places) in answer.content.decode()
    answer = put_back(nurse, lesion, 2)
    assert said.format(*reversed(places)) in answer.content.decode()
    lesion.refresh_from_db()
    assert (str(lesion.put_at), lesion.body_site, lesion.site_detail) == (
        "palms,48.5,200",
        "index_finger",
        "tip",
    )
    assert (lesion.version, lesion.lesion_type) == (3, "plaque"), "only the move is undone"
    change = Change.objects.filter(table_name="lesions_lesion", row_id=lesion.pk).latest("id")
    assert change.actor.startswith("nurse")
    assert change.reason == "Put back on the body map"
    put_back(nurse, lesion, 3)
    lesion.refresh_from_db()
    assert (str(lesion.put_at), lesion.site_detail) == ("hand_backs,300,198", "nail bed")


def test_a_lesion_put_on_the_map_for_the_first_time_is_taken_off_again(nurse, patient):
    lesion = make_lesion(patient, body_site="elbow", laterality="left")
    answer = after_the_move(nurse, lesion, put_at="back,113,191")
    assert "From: Left elbow (middle of the site). To: Left elbow." in answer.content.decode()
    put_back(nurse, lesion, 2)
    lesion.refresh_from_db()
    assert (lesion.put_at, lesion.map_figure, lesion.laterality) == (None, "", "left")


@pytest.mark.parametrize("version", ["1", "3", "", "x", "\x00", "9" * 400])
def test_a_lesion_that_was_changed_meanwhile_is_not_put_back(nurse, patient, version):
    lesion = put(patient)
    after_the_move(nurse, lesion, put_at="palms,48.5,150")
    answer = put_back(nurse, lesion, version)
    assert "Lesion L01 was changed meanwhile: it stays where it is now." in answer.content.decode()
    lesion.refresh_from_db()
    assert (str(lesion.put_at), lesion.version) == ("palms,48.5,150", 2)


def test_once_something_else_was_changed_no_move_is_offered_to_be_undone(nurse, patient):
    lesion = put(patient)
    after_the_move(nurse, lesion, put_at="palms,48.5,150")
    assert put_back_is_offered(nurse, lesion)
    lesion.refresh_from_db()
    answer = nurse.post(edit_page(lesion), sent(lesion, lesion_type="plaque"))
    assert answer.headers["Location"] == reverse("patient", args=[patient.pk])
    assert not put_back_is_offered(nurse, lesion)
    put_back(nurse, lesion, 3)
    lesion.refresh_from_db()
    assert (str(lesion.put_at), lesion.version) == ("palms,48.5,150", 3)


def test_a_lesion_is_not_put_back_to_the_side_on_which_it_is_not(nurse, patient):
    """An import corrected the side alone, and then it was moved there: its place before is refused now."""
    lesion = put(patient)
    with acting(by="test", source="import"):
        Lesion.objects.filter(pk=lesion.pk).update(laterality="left")
    lesion.refresh_from_db()
    answer = after_the_move(nurse, lesion, put_at="palms,311.5,200")
    assert "From: Left index finger (middle of the site)." in answer.content.decode()
    answer = put_back(nurse, lesion, 2)
    assert "Lesion L01 stays where it is now. On the body map it is on" in answer.content.decode()
    lesion.refresh_from_db()
    assert (str(lesion.put_at), lesion.version) == ("palms,311.5,200", 2)


@pytest.mark.parametrize("moved", ["", "x", "0", "9" * 18, "²", "\x00"])
def test_an_address_that_names_no_moved_lesion_offers_nothing(nurse, patient, moved):
    page = nurse.get(map_page(put(patient)), {"moved": moved})
    assert page.context["moved"] is None


def test_a_lesion_of_another_patient_is_not_said_to_have_moved(nurse, patient):
    other = put(make_patient(patient.clinic))
    after_the_move(nurse, other, put_at="palms,48.5,150")
    page = nurse.get(map_page(put(patient)), {"moved": other.pk})
    assert page.context["moved"] is None


def put_back_is_offered(nurse, lesion) -> bool:
    return "Put it back" in nurse.get(map_page(lesion), {"moved": lesion.pk}).content.decode()


def test_a_changed_site_leaves_a_lesion_where_it_was_put(nurse, patient):
    lesion = put(patient)
    assert nurse.post(edit_page(lesion), sent(lesion, body_site="palm")).status_code == 302
    lesion.refresh_from_db()
    assert (lesion.body_site, str(lesion.put_at)) == ("palm", "palms,48.5,200")


def test_one_who_moves_it_after_a_colleague_is_shown_both_places(nurse, patient):
    lesion = put(patient)
    typed = sent(lesion, put_at="palms,48.5,150")
    change_record(lesion, {"map_y": Decimal(180)}, seen_version=1, by="colleague")
    response = nurse.post(edit_page(lesion), typed)
    difference = next(one for one in response.context["differences"] if "map" in one.label)
    assert (difference.label, difference.typed, difference.recorded) == (
        "Place on the body map",
        "Right index finger, proximal phalanx, palmar",
        "Right index finger, middle phalanx, palmar",
    )
    lesion.refresh_from_db()
    assert lesion.map_y == 180


@pytest.mark.parametrize(
    "bad",
    ["palms,48", "hands,1,1", "palms,361,10", "palms,10,246", "x", "palms,nan,1", "\x00", "front,1,1e999"],
)
def test_what_is_no_place_is_refused_at_its_field(nurse, patient, bad):
    response = nurse.post(new_page(patient), NEW | RIGHT_TIP | {"put_at": bad})
    assert list(response.context["form"].errors) == ["put_at"]
    assert not Lesion.objects.exists()


@pytest.mark.parametrize(
    ("put_at", "begun"),
    [
        ("palms,48.5,200", ("index_finger", "right", "distal phalanx, palmar")),
        ("palms,311.5,200", ("index_finger", "left", "distal phalanx, palmar")),
        ("hand_backs,48.5,200", ("index_finger", "left", "distal phalanx, dorsal")),
        ("soles,135,190", ("toe", "left", "big toe, distal phalanx, plantar")),
        ("front,180,120", ("chest", "midline", "")),
    ],
)
def test_a_lesion_begun_on_the_map_is_named_and_not_saved_yet(nurse, patient, put_at, begun):
    response = nurse.post(new_page(patient), {"begin": "yes", "put_at": put_at})
    form = response.context["form"]
    assert not form.is_bound
    assert tuple(form[name].value() for name in ("body_site", "laterality", "site_detail")) == begun
    assert str(form["put_at"].value()) == put_at
    assert form["lesion_id"].value() == "L01"
    assert not Lesion.objects.exists()


def test_a_lesion_moved_on_the_map_is_named_anew_and_not_saved_yet(nurse, patient):
    lesion = put(patient, site_detail="tip")
    response = nurse.post(edit_page(lesion), {"begin": "yes", "put_at": "palms,311.5,150"})
    form = response.context["form"]
    values = [form[name].value() for name in ("body_site", "laterality", "site_detail", "version")]
    assert values == ["index_finger", "left", "proximal phalanx, palmar", 1]
    assert form["lesion_type"].value() == lesion.lesion_type
    lesion.refresh_from_db()
    assert (lesion.laterality, lesion.version) == ("right", 1)


@pytest.mark.parametrize("put_at", ["", "x", "palms,1", "\x00"])
def test_begun_at_no_place_the_form_is_simply_empty(nurse, patient, put_at):
    form = nurse.post(new_page(patient), {"begin": "yes", "put_at": put_at}).context["form"]
    assert not form.is_bound
    assert form["body_site"].value() is None


def test_without_script_every_part_of_the_body_can_be_chosen(nurse, patient):
    page = nurse.get(new_page(patient)).content.decode()
    for figure in FIGURES.values():
        assert f'<optgroup label="{figure.title}">' in page
        for area in figure.areas:
            assert f'<option value="{Place(figure.code, *area.centre)}">{area.words}</option>' in page


def test_the_map_shows_it_where_it_was_put_at_every_visit(nurse, patient):
    put(patient)
    outline = nurse.get(reverse("body_map", args=[patient.pk])).context["found"].outline
    (marker,) = outline.markers
    assert (marker.x, marker.y) == ("48.5", "200")
    page = nurse.get(reverse("patient", args=[patient.pk])).content.decode()
    assert 'transform="translate(48.5 200)"' in page


def test_a_side_corrected_by_an_import_is_the_side_that_the_map_shows(patient, nurse, tmp_path):
    """The data sheets have no place: it stays recorded, and the map goes by the side."""
    lesion = put(patient)
    keys = f"{patient.study_id},{lesion.lesion_id}"
    (tmp_path / "lesions.csv").write_text(
        "patient_id,lesion_id,body_site,laterality,lesion_type,subtype\n"
        f"{keys},index_finger,left,nodule,dystrophic\n",
        encoding="utf-8",
    )
    import_sheets(
        read_path(tmp_path),
        by="test",
        source="import",
        allowed=Allowed(updates=True),
        reason="The other hand.",
    )
    lesion.refresh_from_db()
    assert (lesion.laterality, str(lesion.put_at)) == ("left", "palms,48.5,200")
    (marker,) = nurse.get(reverse("body_map", args=[patient.pk])).context["found"].outline.markers
    assert FIGURES["palms"].side_of(float(marker.x)) == "left"


@pytest.mark.parametrize(
    ("role", "may_move", "may_add"),
    [
        ("clinician", True, True),
        ("nurse", True, True),
        ("data_manager", True, False),
        ("investigator", False, False),
    ],
)
def test_only_who_may_change_lesions_can_move_them_on_the_map(client, patient, role, may_move, may_add):
    put(patient)
    client.force_login(make_user(role, patient.clinic))
    page = client.get(reverse("body_map", args=[patient.pk])).content.decode()
    assert ("data-place-bar" in page) == (may_move or may_add)
    assert (f'data-lesion="{reverse("lesion_edit", args=[0])}"' in page) == may_move
    assert (f'data-new="{new_page(patient)}"' in page) == may_add
    assert ("body-area" in page) == (may_move or may_add)
