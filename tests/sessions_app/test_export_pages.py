"""Exports asked for on the page: who may, what leaves, a process that works apart, files for one alone for a day."""

import csv
import datetime
import io
import json
import re
import zipfile
from contextlib import nullcontext
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from sessions_app import export_jobs
from sessions_app.dataout.bundle import FORMATS
from sessions_app.datasheets.importing import import_sheets
from sessions_app.export_jobs import KEPT_FOR, LOST_AFTER, Pulse, _Stopped, ask_again, folder_of, work
from sessions_app.models import ExportJob
from stsclinic.audit.acting import acting
from stsclinic.audit.models import Event
from stsclinic.clinics.models import Clinic, Membership
from stsclinic.reporting.selection import Selection
from tests.builders import _save, make_clinic, make_user
from tests.sessions_app.datasheet_files import as_raw, sound
from tests.web.rendered import words_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def started(monkeypatch) -> list[int]:
    """The jobs whose process would have been started."""
    found: list[int] = []
    monkeypatch.setattr(export_jobs, "start_process", found.append)
    return found


@pytest.fixture
def north():
    return make_clinic("north")


@pytest.fixture
def dana(north):
    return make_user("data_manager", north, "dana")


@pytest.fixture
def iris(north):
    return make_user("investigator", north, "iris")


@pytest.fixture
def web(client, dana):
    client.force_login(dana)
    return client


@pytest.fixture
def registry(north):
    import_sheets(as_raw(sound()), by="test", source="command")


def typed(**more):
    return {"clinic": ["north"], "formats": ["csv"], "reason": "The yearly report"} | more


def send(client, commit, **more):
    with commit(execute=True):
        return client.post(reverse("export_new"), typed(**more))


def finished(client, commit, **more) -> ExportJob:
    """An export that was asked for on the page and made at once."""
    response = send(client, commit, **more)
    assert response.status_code == 302, words_of(response.content.decode())
    job = ExportJob.objects.latest("pk")
    work(job.pk, alive=nullcontext)
    job.refresh_from_db()
    return job


def cells(job: ExportJob, sheet: str) -> list[dict[str, str]]:
    with zipfile.ZipFile(folder_of(job) / "sheets.zip") as archive:
        return list(csv.DictReader(io.StringIO(archive.read(f"{sheet}.csv").decode(), newline="")))


def details() -> list[str]:
    return list(Event.objects.filter(kind="exported").order_by("pk").values_list("detail", flat=True))


def page_of(client, job) -> str:
    return words_of(client.get(reverse("export", args=[job.pk])).content.decode())


class TestAsking:
    def test_an_export_is_made_apart_and_its_files_are_fetched(
        self, web, registry, started, django_capture_on_commit_callbacks
    ):
        response = send(web, django_capture_on_commit_callbacks, formats=list(FORMATS))
        job = ExportJob.objects.get()
        assert response["Location"] == reverse("export", args=[job.pk])
        assert started == [job.pk]
        assert "Waiting" in page_of(web, job)
        work(job.pk, alive=nullcontext)
        html = web.get(reverse("export", args=[job.pk])).content.decode()
        assert "Ready" in words_of(html)
        for name in (
            "everything.zip",
            "sheets.zip",
            "sheets.xlsx",
            "codebook.html",
            "manifest.json",
            "headline.py",
        ):
            response = web.get(reverse("export_file", args=[job.pk, name]))
            assert response.status_code == 200
            assert f'filename="stsclinic-{datetime.date.today()}-{name}"' in response["Content-Disposition"]
            assert response["Cache-Control"] == "no-store, private"
            content = b"".join(response.streaming_content)
            assert content == (folder_of(job) / name).read_bytes()
        with zipfile.ZipFile(folder_of(job) / "everything.zip") as archive:
            assert {
                "sheets.zip",
                "spss/patients.sav",
                "stata/patients.dta",
                "sas/patients.xpt",
                "manifest.txt",
            } <= set(archive.namelist())

    def test_everything_is_logged(self, web, registry, django_capture_on_commit_callbacks):
        job = finished(web, django_capture_on_commit_callbacks, reason="  For the committee\r\nof 2026  ")
        assert web.get(reverse("export_file", args=[job.pk, "sheets.zip"])).status_code == 200
        assert details() == [
            "asked: formats csv; clinics north; de-identified; reason: For the committee\nof 2026",
            f"done: export {job.pk}",
            f"fetched: sheets.zip of export {job.pk}",
        ]
        assert set(Event.objects.filter(kind="exported").values_list("actor", flat=True)) == {"dana"}

    def test_files_are_for_their_owner_alone(self, web, registry, django_capture_on_commit_callbacks):
        job = finished(web, django_capture_on_commit_callbacks, formats=["sav", "csv"])
        assert folder_of(job).parent.stat().st_mode & 0o077 == 0
        for path in [folder_of(job), *folder_of(job).rglob("*")]:
            assert path.stat().st_mode & 0o077 == 0, path

    def test_the_selection_and_the_form_are_those_chosen(
        self, web, registry, django_capture_on_commit_callbacks
    ):
        job = finished(
            web,
            django_capture_on_commit_callbacks,
            protocol="weekly4",
            treated_from="2024-01-01",
            treated_to="2024-01-31",
            diagnosis="lcssc",
            body_site="elbow",
            concentration="150",
            horizon="end_of_treatment",
            unit="lesion",
            danish="on",
            new_ids="on",
        )
        manifest = json.loads((folder_of(job) / "manifest.json").read_text())
        assert manifest["selection"] == {
            "clinics": ["north"],
            "protocols": ["weekly4"],
            "diagnoses": ["lcssc"],
            "subtypes": [],
            "body_sites": ["elbow"],
            "concentrations_mg_ml": ["150"],
            "horizon": "end_of_treatment",
            "unit": "lesion",
            # The day itself would tell by how much those of the patients were shifted.
            "first_treatment_from": "a day that was chosen",
            "first_treatment_to": "a day that was chosen",
        }
        assert (manifest["made_by"], manifest["csv"]["separator"], manifest["ids"]) == ("dana", ";", "random")
        assert manifest["sheets"]["patients"]["rows"] == 1

    def test_the_selection_of_a_report_comes_with_its_link(
        self, web, registry, django_capture_on_commit_callbacks
    ):
        query = (
            "?clinic=north&protocol=weekly4&protocol=longterm&diagnosis=lcssc&subtype=dystrophic&body_site=elbow"
            "&treated_from=2024-01-01&concentration=150&horizon=end_of_treatment&unit=lesion&stated=2024-05-01"
        )
        html = web.get(reverse("report") + query).content.decode()
        link = next(
            one for one in re.findall(r'href="([^"]+)"', html) if one.startswith(reverse("exports") + "?")
        )
        form = web.get(unescape(link)).context["form"]
        assert form.is_valid(), form.errors
        plan = form.plan
        assert (plan.clinics, plan.formats, plan.is_deidentified) == (("north",), ("xlsx", "csv"), True)
        assert plan.selection == Selection(
            protocols=frozenset({"weekly4", "longterm"}),
            diagnoses=frozenset({"lcssc"}),
            subtypes=frozenset({"dystrophic"}),
            body_sites=frozenset({"elbow"}),
            concentrations=frozenset({Decimal(150)}),
            first_treatment_from=datetime.date(2024, 1, 1),
            horizon="end_of_treatment",
            unit="lesion",
        )

    def test_clinics_have_their_names(self, web, dana, registry, started, django_capture_on_commit_callbacks):
        south = Clinic.objects.get(code="south")
        with acting(by="test", source="command"):
            south.name = "South, by the sea"
            south.save()
        _save(Membership(user=dana, clinic=south, role="data_manager"))
        job = finished(web, django_capture_on_commit_callbacks, clinic=["north", "south"])
        assert "Clinics North; South, by the sea Protocol" in page_of(web, job)

    def test_the_list_tells_exports_of_the_same_minute_apart(
        self, web, registry, started, django_capture_on_commit_callbacks
    ):
        commit = django_capture_on_commit_callbacks
        finished(web, commit, formats=["csv", "sav"], body_site=["elbow"], unit="lesion")
        finished(web, commit, with_dates="on")
        words = words_of(web.get(reverse("exports")).content.decode())
        assert "North; Body site: Elbow; Headline: Lesions, follow-up; De-identified; csv, sav" in words
        assert "North; With days as recorded; csv" in words

    def test_an_address_of_all_clinics_chooses_those_that_may_leave(self, web, registry):
        form = web.get(reverse("exports"), {"unit": "lesion"}).context["form"]
        assert form.is_valid() and form.plan.clinics == ("north",)

    def test_an_address_with_what_is_not_known_says_so_at_its_place(self, web, registry):
        response = web.get(
            reverse("exports"), {"clinic": "south", "concentration": "much", "with_dates": "on"}
        )
        assert response.status_code == 200
        words = words_of(response.content.decode())
        assert "“south” is not in this list" in words and "Enter a number from 0 to 1000" in words
        assert not response.context["form"]["with_dates"].value()

    @pytest.mark.parametrize(
        ("more", "sentence"),
        [
            ({"body_site": ["elbow", "tail"]}, "“tail” is not in this list"),
            ({"concentration": "0"}, "Concentration used: Enter a number above 0."),
            ({"concentration": "1.000"}, "1.000 could be 1 or 1000."),
            ({"unit": "visit"}, "“visit” is not in this list"),
            ({"formats": []}, "Choose at least one kind of file."),
            ({"formats": ["doc"]}, "“doc” is not in this list"),
            ({"clinic": []}, "Choose at least one clinic."),
            ({"clinic": ["south"]}, "“south” is not in this list"),
            ({"protocol": "daily"}, "“daily” is not in this list"),
            ({"treated_from": "soon"}, "Enter a date such as"),
            ({"treated_from": "2024-02-01", "treated_to": "2024-01-01"}, "ends before it begins"),
            ({"reason": "x" * 501}, "at most 500 characters"),
            ({"with_dates": "on", "reason": ""}, "Say for whom and for what dates or notes leave."),
            ({"with_text": "on", "reason": "  "}, "Say for whom and for what dates or notes leave."),
        ],
    )
    def test_a_wrong_form_comes_back(
        self, web, registry, started, more, sentence, django_capture_on_commit_callbacks
    ):
        response = send(web, django_capture_on_commit_callbacks, **more)
        assert response.status_code == 200
        assert sentence in words_of(response.content.decode())
        assert not ExportJob.objects.exists() and not started and not details()

    def test_one_at_a_time(self, web, registry, started, django_capture_on_commit_callbacks):
        send(web, django_capture_on_commit_callbacks)
        response = send(web, django_capture_on_commit_callbacks)
        assert "Your last export is not finished" in words_of(response.content.decode())
        assert len(started) == 1

    def test_the_page_lists_ones_own_exports_alone(
        self, web, client, registry, iris, django_capture_on_commit_callbacks
    ):
        finished(web, django_capture_on_commit_callbacks)
        assert (
            reverse("export", args=[ExportJob.objects.get().pk])
            in web.get(reverse("exports")).content.decode()
        )
        client.force_login(iris)
        assert "None yet." in words_of(client.get(reverse("exports")).content.decode())


class TestRights:
    def test_an_investigator_exports_de_identified_data_and_no_more(
        self, client, iris, registry, django_capture_on_commit_callbacks
    ):
        client.force_login(iris)
        html = client.get(reverse("exports")).content.decode()
        assert "with_dates" not in html and "with_text" not in html
        job = finished(client, django_capture_on_commit_callbacks, with_dates="on", with_text="on", reason="")
        assert "note" not in cells(job, "sessions")[0]
        assert cells(job, "sessions")[0]["held_on"] != "2024-01-02"

    def test_a_data_manager_lets_dates_and_notes_leave_with_a_reason(
        self, web, registry, django_capture_on_commit_callbacks
    ):
        job = finished(web, django_capture_on_commit_callbacks, with_dates="on", with_text="on")
        assert cells(job, "sessions")[0]["held_on"] == "2024-01-02"
        assert "note" in cells(job, "sessions")[0]
        assert "as recorded dates, free text; reason: The yearly report" in details()[0]
        assert "With days as recorded, free text" in page_of(web, job)

    def test_dates_of_a_clinic_where_one_is_investigator_stay(
        self, web, dana, registry, django_capture_on_commit_callbacks
    ):
        _save(Membership(user=dana, clinic=Clinic.objects.get(code="south"), role="investigator"))
        more = {"clinic": ["north", "south"]}
        response = send(web, django_capture_on_commit_callbacks, with_dates="on", **more)
        assert "only from clinics where you are data manager" in words_of(response.content.decode())
        job = finished(web, django_capture_on_commit_callbacks, **more)
        assert {row["clinic"] for row in cells(job, "patients")} == {"north", "south"}

    def test_a_closed_allocation_stays(
        self, client, iris, dana, registry, django_capture_on_commit_callbacks
    ):
        south = Clinic.objects.get(code="south")
        for user in (iris, dana):
            role = "investigator" if user is iris else "data_manager"
            _save(Membership(user=user, clinic=south, role=role))
        arms = {}
        for user in (iris, dana):
            client.force_login(user)
            job = finished(client, django_capture_on_commit_callbacks, clinic=["south"])
            arms[user.username] = {row["arm"] for row in cells(job, "series_lesions")}
        assert arms == {"iris": {""}, "dana": {"active", "control"}}

    def test_an_allocation_that_is_closed_now_is_not_fetched(
        self, web, dana, registry, django_capture_on_commit_callbacks
    ):
        south = Clinic.objects.get(code="south")
        _save(Membership(user=dana, clinic=south, role="data_manager"))
        job = finished(web, django_capture_on_commit_callbacks, clinic=["south"])
        address = reverse("export_file", args=[job.pk, "sheets.zip"])
        assert web.get(address).status_code == 200
        with acting(by="test", source="command"):
            dana.memberships.update(role="investigator")
        assert web.get(address).status_code == 404

    def test_what_was_closed_when_it_was_asked_stays_left_out(
        self, web, dana, registry, django_capture_on_commit_callbacks
    ):
        south = Clinic.objects.get(code="south")
        with acting(by="test", source="command"):
            dana.memberships.update(role="investigator")
        _save(Membership(user=dana, clinic=south, role="investigator"))
        send(web, django_capture_on_commit_callbacks, clinic=["south"])
        job = ExportJob.objects.latest("pk")
        with acting(by="test", source="command"):
            dana.memberships.update(role="data_manager")
        work(job.pk, alive=nullcontext)
        job.refresh_from_db()
        assert {row["arm"] for row in cells(job, "series_lesions")} == {""}

    def test_rights_lost_in_between_end_it(self, web, dana, registry, django_capture_on_commit_callbacks):
        job = finished(web, django_capture_on_commit_callbacks)
        send(web, django_capture_on_commit_callbacks)
        waiting = ExportJob.objects.latest("pk")
        with acting(by="test", source="command"):
            dana.memberships.all().delete()
        work(waiting.pk, alive=nullcontext)
        waiting.refresh_from_db()
        assert (waiting.state, waiting.error) == ("failed", "You may no longer export this.")
        assert not folder_of(waiting).exists()
        _save(Membership(user=dana, clinic=make_clinic("east"), role="data_manager"))
        assert web.get(reverse("export_file", args=[job.pk, "sheets.zip"])).status_code == 404

    def test_another_persons_export_is_not_found(
        self, web, client, registry, iris, django_capture_on_commit_callbacks
    ):
        job = finished(web, django_capture_on_commit_callbacks)
        client.force_login(iris)
        assert client.get(reverse("export", args=[job.pk])).status_code == 404
        assert client.get(reverse("export_file", args=[job.pk, "sheets.zip"])).status_code == 404
        for name in ("export_cancel", "export_again"):
            assert client.post(reverse(name, args=[job.pk])).status_code == 404

    @pytest.mark.parametrize("name", ["..", "secret_key", "manifest.json%2f..", "nothing.zip", "spss"])
    def test_no_other_file_is_given(self, web, registry, name, django_capture_on_commit_callbacks):
        job = finished(web, django_capture_on_commit_callbacks)
        assert web.get(f"/exports/{job.pk}/files/{name}/").status_code == 404


class TestWork:
    @pytest.fixture
    def job(self, web, registry, django_capture_on_commit_callbacks) -> ExportJob:
        send(web, django_capture_on_commit_callbacks)
        return ExportJob.objects.get()

    def test_a_job_is_claimed_once(self, job):
        work(job.pk, alive=nullcontext)
        before = sorted(path.stat().st_mtime_ns for path in folder_of(job).iterdir())
        work(job.pk, alive=nullcontext)
        assert sorted(path.stat().st_mtime_ns for path in folder_of(job).iterdir()) == before
        assert details()[1:] == [f"done: export {job.pk}"]

    def test_the_pulse_tells_how_far_it_is(self, job, web):
        ExportJob.objects.update(
            state="running", worker="w1", heartbeat_at=timezone.now() - timedelta(seconds=20)
        )
        pulse = Pulse(job.pk, "w1")
        pulse.step(30, 120)
        pulse.beat()
        job.refresh_from_db()
        assert (job.work_done, job.work_in_all) == (30, 120)
        assert timezone.now() - job.heartbeat_at < timedelta(seconds=15)
        html = web.get(reverse("export", args=[job.pk])).content.decode()
        assert 'value="25"' in html and "http-equiv" in html and "every 1s" in html

    def test_a_job_that_was_cancelled_stops_at_the_next_step_and_leaves_nothing(self, job, web):
        stopped = []

        def alive(pulse):
            web.post(reverse("export_cancel", args=[job.pk]))
            pulse.beat()
            stopped.append(pulse.is_stopped)
            return nullcontext()

        work(job.pk, alive=alive)
        job.refresh_from_db()
        assert stopped == [True]
        assert job.state == "cancelled"
        assert not folder_of(job).exists()
        assert details()[1:] == [f"cancelled: export {job.pk}"] * 2

    def test_one_that_waits_is_cancelled_at_once(self, job, web):
        assert web.post(reverse("export_cancel", args=[job.pk])).status_code == 302
        job.refresh_from_db()
        assert job.state == "cancelled"
        work(job.pk, alive=nullcontext)
        assert not folder_of(job).exists()

    def test_a_process_that_lost_its_job_stops(self, job):
        pulse = Pulse(job.pk, "w1")
        ExportJob.objects.update(state="running", worker="w2")
        pulse.beat()
        with pytest.raises(_Stopped):
            pulse.step(1, 2)

    @pytest.mark.parametrize("state", ["waiting", "running"])
    def test_a_job_whose_process_died_is_told_and_started_again(
        self, job, web, state, started, django_capture_on_commit_callbacks
    ):
        folder_of(job).mkdir(parents=True)
        (folder_of(job) / "sheets.zip").write_bytes(b"half")
        half = folder_of(job)
        ExportJob.objects.update(state=state, heartbeat_at=timezone.now() - LOST_AFTER - timedelta(seconds=1))
        assert "Stopped without an end" in page_of(web, job)
        with django_capture_on_commit_callbacks(execute=True):
            assert web.post(reverse("export_again", args=[job.pk])).status_code == 302
        assert started == [job.pk, job.pk]
        assert not half.exists()
        work(job.pk, alive=nullcontext)
        assert "Ready" in page_of(web, job)

    def test_one_that_is_alive_is_not_started_again(self, job, started):
        with pytest.raises(ValidationError):
            ask_again(job)
        assert started == [job.pk]

    def test_a_lost_job_holds_up_no_other(self, job, web, django_capture_on_commit_callbacks):
        ExportJob.objects.update(heartbeat_at=timezone.now() - LOST_AFTER - timedelta(seconds=1))
        assert send(web, django_capture_on_commit_callbacks).status_code == 302

    def test_an_error_is_told_in_a_sentence_and_leaves_nothing(self, job, web, monkeypatch):
        def broken(*args):
            raise RuntimeError("the disk of P-1 is full")

        monkeypatch.setattr(export_jobs, "write_bundle", broken)
        work(job.pk, alive=nullcontext)
        words = page_of(web, job)
        assert "The export failed. The server's log says why." in words
        assert "P-1" not in words
        assert not folder_of(job).exists()

    def test_too_little_room_is_told(self, job, web, monkeypatch):
        ExportJob.objects.update(chosen={**job.chosen, "formats": ["xlsx"]})
        monkeypatch.setattr("sessions_app.dataout.workbook.MOST_WORKBOOK_ROWS", 2)
        work(job.pk, alive=nullcontext)
        assert "rows that a worksheet takes" in page_of(web, job)


class TestAfterADay:
    def test_the_files_go_and_the_page_says_so(self, web, registry, django_capture_on_commit_callbacks):
        job = finished(web, django_capture_on_commit_callbacks)
        folder = folder_of(job)
        ExportJob.objects.update(finished_at=timezone.now() - KEPT_FOR - timedelta(minutes=1))
        assert "the files were removed" in page_of(web, job)
        assert web.get(reverse("export_file", args=[job.pk, "sheets.zip"])).status_code == 404
        export_jobs.remove_old()
        assert not folder.exists()

    def test_until_then_they_stay(self, web, registry, django_capture_on_commit_callbacks):
        job = finished(web, django_capture_on_commit_callbacks)
        ExportJob.objects.update(finished_at=timezone.now() - KEPT_FOR + timedelta(minutes=1))
        export_jobs.remove_old()
        assert web.get(reverse("export_file", args=[job.pk, "sheets.zip"])).status_code == 200

    def test_what_belongs_to_no_export_goes_and_what_is_not_ours_stays(self):
        settings.EXPORTS_DIR.mkdir(parents=True, exist_ok=True)
        stray = settings.EXPORTS_DIR / "8f14e45f-ceea-467f-a0e6-000000000000"
        other = settings.EXPORTS_DIR / "keep-me"
        for path in (stray, other):
            path.mkdir(exist_ok=True)
        export_jobs.remove_old()
        assert not stray.exists() and other.exists()
