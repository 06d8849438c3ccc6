"""Large reports, made by a process of its own: the same as made at once, for one alone, with what is left to wait."""

import shutil
from contextlib import nullcontext
from datetime import date, timedelta
from itertools import pairwise

import pytest
from django.urls import reverse
from django.utils import timezone

from sessions_app import export_jobs, report_asked, report_files
from sessions_app.datasheets.importing import import_sheets
from sessions_app.datasheets.reading import read_path
from sessions_app.export_jobs import KEPT_FOR, Pulse, folder_of, work
from sessions_app.models import ExportJob
from sessions_app.report_asked import MOST_AT_ONCE
from sessions_app.views import report as report_views
from stsclinic.audit.acting import acting
from stsclinic.audit.models import Event
from stsclinic.clinics.models import Clinic, Membership, User
from tests.builders import _save, make_clinic, make_lesion, make_patient, make_series, make_user
from tests.sessions_app.test_report_page import CASES
from tests.web.rendered import words_of

pytestmark = pytest.mark.django_db

STATED = {"stated": "2026-11-20"}


@pytest.fixture(autouse=True)
def started(monkeypatch) -> list[int]:
    """The jobs whose process would have been started."""
    found: list[int] = []
    monkeypatch.setattr(export_jobs, "start_process", found.append)
    return found


@pytest.fixture
def all_is_large(monkeypatch):
    monkeypatch.setattr(report_asked, "MOST_AT_ONCE", dict.fromkeys(MOST_AT_ONCE, 0))


@pytest.fixture
def orlando() -> Clinic:
    import_sheets(read_path(CASES / "orlando"), by="test", source="command")
    return Clinic.objects.get(code="orlando")


@pytest.fixture
def iris(orlando):
    return make_user("investigator", orlando, "iris")


@pytest.fixture
def web(client, iris):
    client.force_login(iris)
    return client


@pytest.fixture
def ask(web, django_capture_on_commit_callbacks):
    """Ask for an address of the report; give the answer."""

    def get(name: str, *names: str, client=web, **query):
        with django_capture_on_commit_callbacks(execute=True):
            return client.get(reverse(name, args=names), STATED | query)

    return get


def made(response) -> ExportJob:
    """The job to which an answer leads, made at once."""
    job = ExportJob.objects.latest("pk")
    assert response.status_code == 302 and response["Location"] == reverse("export", args=[job.pk])
    work(job.pk, alive=nullcontext)
    job.refresh_from_db()
    return job


def state_of(client, job: ExportJob) -> str:
    return words_of(client.get(reverse("export", args=[job.pk])).content.decode())


def details() -> list[str]:
    return list(
        Event.objects.filter(kind="report_downloaded").order_by("pk").values_list("detail", flat=True)
    )


FILES = [
    *(("report_download", (one,), {}) for one in report_files.FORMATS),
    *(("report_download", (one,), {"share": "1"}) for one in ("pdf", "csv", "xlsx", "tables")),
    ("report_figure", ("flow", "svg"), {}),
    ("report_figure", ("flow", "png"), {"share": "1"}),
    ("report_figure", ("flow", "svg"), {"unit": "lesion"}),
]


class TestTheSame:
    @pytest.mark.parametrize(("name", "names", "query"), FILES)
    def test_a_file_has_the_bytes_name_and_log_that_it_has_when_made_at_once(
        self, ask, web, monkeypatch, name, names, query
    ):
        direct = ask(name, *names, **query)
        monkeypatch.setattr(report_asked, "MOST_AT_ONCE", dict.fromkeys(MOST_AT_ONCE, 0))
        job = made(ask(name, *names, **query))
        assert "Ready" in state_of(web, job)
        (path,) = folder_of(job).iterdir()
        fetched = web.get(reverse("export_file", args=[job.pk, path.name]))
        assert b"".join(fetched.streaming_content) == direct.content
        assert fetched["Content-Disposition"] == direct["Content-Disposition"]
        assert fetched["Cache-Control"] == "no-store, private"
        words = details()[0]
        assert words.endswith(": everything")
        assert details() == [
            words,
            f"asked: {words}",
            f"done: report {job.pk}",
            f"fetched: {words} of report {job.pk}",
        ]

    @pytest.mark.parametrize(
        ("name", "names", "query"),
        [
            ("report", (), {}),
            ("report", (), {"protocol": "placebo3", "unit": "lesion", "left_out_from": "0"}),
            ("report_rows", ("cohort", "0", "value"), {"protocol": "placebo3"}),
        ],
    )
    def test_a_page_is_the_one_that_is_made_at_once(self, ask, monkeypatch, name, names, query):
        direct = ask(name, *names, **query)
        monkeypatch.setattr(report_asked, "MOST_AT_ONCE", dict.fromkeys(MOST_AT_ONCE, 0))
        made(ask(name, *names, **query))
        kept = ask(name, *names, **query)
        assert kept.status_code == 200 and "<table" in kept.context["made"]
        assert kept.context["made"] == direct.context["made"]
        assert "Made on" in words_of(kept.content.decode())
        assert "Made on" not in words_of(direct.content.decode())

    def test_what_is_asked_is_told_in_words(self, ask, web, all_is_large):
        job = made(ask("report_download", "csv-comma", protocol="placebo3", share="1"))
        words = state_of(web, job)
        assert "What CSV with semicolons and decimal commas, for sharing" in words
        assert "Clinics orlando" in words and "Protocol placebo3" in words and "Date 20-Nov-2026" in words


class TestWhatIsLarge:
    @pytest.mark.parametrize(
        ("name", "names", "what"),
        [
            ("report", (), "page"),
            ("report_rows", ("cohort", "0", "value"), "rows"),
            ("report_download", ("json",), "file"),
            ("report_figure", ("flow", "svg"), "figure"),
        ],
    )
    def test_one_series_more_than_is_made_at_once(self, ask, orlando, monkeypatch, name, names, what):
        monkeypatch.setitem(MOST_AT_ONCE, what, 7)
        patient = make_patient(orlando)
        there = orlando.patients.filter(series__isnull=False).count()
        for _ in range(7 - there):
            make_series(patient, [make_lesion(patient)])
        assert ask(name, *names).status_code == 200
        make_series(patient, [make_lesion(patient)])
        assert ask(name, *names).status_code == 302

    def test_only_the_series_that_are_read_count(self, ask, iris, monkeypatch):
        monkeypatch.setitem(MOST_AT_ONCE, "page", 7)
        north = make_clinic("north")
        patient = make_patient(north)
        for _ in range(8):
            make_series(patient, [make_lesion(patient)])
        assert ask("report").status_code == 200
        _save(Membership(user=iris, clinic=north, role="investigator"))
        assert ask("report").status_code == 302
        assert ask("report", clinic="orlando").status_code == 200

    @pytest.mark.parametrize(
        ("name", "names", "query"),
        [
            ("report_download", ("docx",), {}),
            ("report_download", ("json",), {"share": "1"}),
            ("report_figure", ("flow", "gif"), {}),
            ("report_figure", ("nothing", "svg"), {}),
            ("report_download", ("pdf",), {"unit": "visit"}),
            ("report", (), {"unit": "visit"}),
        ],
    )
    def test_what_cannot_be_made_starts_nothing(self, ask, all_is_large, name, names, query):
        assert ask(name, *names, **query).status_code in (200, 400, 404)
        assert not ExportJob.objects.exists()

    def test_a_number_that_is_not_there_is_told(self, ask, web, all_is_large):
        job = made(ask("report_rows", "cohort", "0", "nothing"))
        assert "The report has nothing at this address now." in state_of(web, job)
        assert not folder_of(job).exists()


class TestOneAndAnother:
    def test_asking_again_leads_to_the_same_one(self, ask, web, all_is_large, started):
        first = ask("report_download", "pdf")
        assert ask("report_download", "pdf")["Location"] == first["Location"]
        job = made(first)
        assert ask("report_download", "pdf")["Location"] == first["Location"]
        assert started == [job.pk]

    def test_another_selection_day_or_file_is_another_one(self, ask, all_is_large, started, monkeypatch):
        for query in ({}, {"protocol": "placebo3"}, {"stated": "2026-11-21"}, {"share": "1"}):
            made(ask("report_download", "csv", **query))
        made(ask("report_download", "tables"))
        assert len(set(started)) == len(started) == 5

    def test_tomorrow_it_is_another_one(self, ask, all_is_large, started, monkeypatch):
        for day in (date(2026, 11, 20), date(2026, 11, 21)):
            monkeypatch.setattr(report_asked, "today_in", lambda clinics, day=day: day)
            job = made(ask("report_download", "csv", stated=""))
            (path,) = folder_of(job).iterdir()
            assert path.name == f"stsclinic-report-{day}.zip"
        assert len(started) == 2

    def test_while_one_is_under_way_another_waits(self, ask, web, all_is_large, started):
        first = ask("report_download", "csv")
        second = ask("report")
        assert second["Location"] == first["Location"]
        job = ExportJob.objects.get()
        assert "Your last report is not finished" in state_of(web, job)
        web.post(reverse("export_cancel", args=[job.pk]))
        made(ask("report"))
        assert len(started) == 2

    def test_an_export_under_way_holds_up_no_report(self, ask, web, iris, all_is_large):
        ExportJob.objects.create(made_by=iris, chosen={}, state="running", heartbeat_at=timezone.now())
        assert made(ask("report")).state == "done"

    def test_after_a_day_it_is_made_again(self, ask, web, all_is_large):
        job = made(ask("report"))
        ExportJob.objects.update(finished_at=timezone.now() - KEPT_FOR - timedelta(minutes=1))
        assert made(ask("report")) != job
        assert not folder_of(job).exists()

    def test_one_whose_folder_is_gone_is_made_again(self, ask, web, all_is_large):
        job = made(ask("report"))
        (folder_of(job) / report_asked.PAGE).unlink()
        folder_of(job).rmdir()
        assert made(ask("report")) != job

    def test_made_anew_it_has_what_was_recorded_since(
        self, ask, web, orlando, all_is_large, django_capture_on_commit_callbacks
    ):
        job = made(ask("report"))
        before = ask("report").context["made"]
        make_patient(orlando, study_id="NEW-1")
        assert ask("report").context["made"] == before
        with django_capture_on_commit_callbacks(execute=True):
            response = web.post(reverse("export_again", args=[job.pk]))
        assert "Waiting" in state_of(web, job)
        assert made(response) == job
        assert ask("report").context["made"] != before

    def test_who_waits_is_led_to_the_page(self, ask, web, all_is_large):
        job = made(ask("report_rows", "cohort", "0", "value", unit="lesion"))
        address = reverse("export", args=[job.pk])
        there = reverse("report_rows", args=["cohort", "0", "value"]) + "?stated=2026-11-20&unit=lesion"
        assert web.get(address)["Location"] == there
        assert web.get(address, headers={"HX-Request": "true"})["HX-Redirect"] == there


class TestRights:
    def test_it_is_for_who_asked_alone(self, ask, client, orlando, all_is_large):
        page, file = made(ask("report")), made(ask("report_download", "json"))
        (path,) = folder_of(file).iterdir()
        assert folder_of(file).stat().st_mode & 0o077 == path.stat().st_mode & 0o077 == 0
        client.force_login(make_user("investigator", orlando))
        for job in (page, file):
            assert client.get(reverse("export", args=[job.pk])).status_code == 404
            for name in ("export_cancel", "export_again"):
                assert client.post(reverse(name, args=[job.pk])).status_code == 404
        assert client.get(reverse("export_file", args=[file.pk, path.name])).status_code == 404
        assert ask("report").status_code == 302
        assert ExportJob.objects.count() == 3

    def test_a_page_is_no_file(self, ask, web, all_is_large):
        job = made(ask("report"))
        assert web.get(reverse("export_file", args=[job.pk, report_asked.PAGE])).status_code == 404

    @pytest.mark.parametrize("name", ["..", "secret_key", "page.html", "nothing.zip"])
    def test_no_other_file_is_given(self, ask, web, all_is_large, name):
        job = made(ask("report_download", "json"))
        assert web.get(f"/exports/{job.pk}/files/{name}/").status_code == 404

    def test_a_clinician_who_exports_nothing_gets_the_report(self, ask, client, orlando, all_is_large):
        client.force_login(make_user("clinician", orlando, "carl"))
        job = made(ask("report_download", "csv"))
        assert "Ready" in state_of(client, job)
        assert client.get(reverse("exports")).status_code == 404
        exported = ExportJob.objects.create(
            made_by=job.made_by,
            chosen={},
            state="done",
            heartbeat_at=timezone.now(),
            finished_at=timezone.now(),
        )
        assert client.get(reverse("export", args=[exported.pk])).status_code == 404

    def test_it_is_not_among_the_exports(self, ask, web, all_is_large):
        made(ask("report_download", "csv"))
        assert "None yet." in words_of(web.get(reverse("exports")).content.decode())

    def test_rights_lost_in_between_end_it(self, ask, web, iris, all_is_large):
        north = make_clinic("north")
        make_series(make_patient(north))
        _save(Membership(user=iris, clinic=north, role="investigator"))
        page, file = made(ask("report")), made(ask("report_download", "json"))
        (path,) = folder_of(file).iterdir()
        asked = ask("report_download", "csv")
        with acting(by="test", source="command"):
            iris.memberships.filter(clinic=north).delete()
        assert web.get(reverse("export_file", args=[file.pk, path.name])).status_code == 404
        job = made(asked)
        assert (job.state, job.error) == ("failed", "You may no longer see this.")
        # The page of both clinics is no longer what is asked for at this address.
        assert made(ask("report")) != page

    def test_an_allocation_that_is_closed_now_is_not_told(self, ask, client, orlando, all_is_large):
        dana = make_user("data_manager", orlando, "dana")
        client.force_login(dana)
        page, file = made(ask("report")), made(ask("report_download", "json"))
        (path,) = folder_of(file).iterdir()
        assert 'id="part-controlled_subjects"' in ask("report").context["made"]
        with acting(by="test", source="command"):
            dana.memberships.update(role="investigator")
        assert client.get(reverse("export_file", args=[file.pk, path.name])).status_code == 404
        assert made(ask("report")) != page
        shown = ask("report").context["made"]
        assert "closed to you" in shown and "controlled_subjects" not in shown

    def test_an_allocation_that_was_open_while_it_was_made_is_not_told(
        self, ask, client, orlando, all_is_large
    ):
        dana = make_user("investigator", orlando, "dana")
        client.force_login(dana)
        asked = ask("report")
        _become(dana, "data_manager")
        job = made(asked)
        assert (job.state, job.error) == ("failed", "You may no longer see this.")
        _become(dana, "investigator")
        made(ask("report"))
        shown = ask("report").context["made"]
        assert "closed to you" in shown and "controlled_subjects" not in shown

    def test_an_allocation_that_was_open_when_it_was_made_anew_is_not_told(
        self, ask, client, orlando, all_is_large, django_capture_on_commit_callbacks
    ):
        dana = make_user("investigator", orlando, "dana")
        client.force_login(dana)
        file = made(ask("report_download", "json"))
        _become(dana, "data_manager")
        with django_capture_on_commit_callbacks(execute=True):
            client.post(reverse("export_again", args=[file.pk]))
        work(file.pk, alive=nullcontext)
        _become(dana, "investigator")
        file.refresh_from_db()
        assert file.state == "failed"
        assert not folder_of(file).exists()

    def test_one_that_was_open_for_a_moment_only_is_not_told(
        self, ask, client, orlando, all_is_large, monkeypatch
    ):
        """It opened after the rights were looked at and before the rows were read."""
        dana = make_user("investigator", orlando, "dana")
        client.force_login(dana)
        asked = ask("report")
        make = report_asked.make

        def opened_before(user, *arguments, **options):
            _become(dana, "data_manager")
            return make(User.objects.get(pk=user.pk), *arguments, **options)

        monkeypatch.setattr(report_asked, "make", opened_before)
        assert made(asked).state == "failed"

    def test_a_page_that_goes_while_it_is_looked_up_is_asked_for_anew(self, ask, all_is_large, monkeypatch):
        job = made(ask("report"))
        looked_up = report_views.ask_report

        def removed_then(*arguments, **options):
            found = looked_up(*arguments, **options)
            shutil.rmtree(folder_of(found))
            return found

        monkeypatch.setattr(report_views, "ask_report", removed_then)
        assert ask("report")["Location"] == reverse("export", args=[job.pk])


def _become(user, role: str) -> None:
    with acting(by="test", source="command"):
        user.memberships.update(role=role)


class TestProgress:
    @pytest.mark.parametrize("file_format", report_files.FORMATS)
    def test_it_never_falls_and_never_passes_the_end(self, ask, all_is_large, monkeypatch, file_format):
        monkeypatch.setattr(report_files, "TELL_EVERY", 1)
        told: list[tuple[int, int]] = []
        monkeypatch.setattr(Pulse, "step", lambda self, done, in_all: told.append((done, in_all)))
        assert made(ask("report_download", file_format)).state == "done"
        parts = [done / in_all for done, in_all in told]
        assert parts[0] == 0 and all(0 <= a <= b <= 1 for a, b in pairwise(parts))
        goes_on = len(set(parts)) > 10
        assert goes_on or file_format in ("json", "pdf")

    @pytest.mark.parametrize("file_format", report_files.FORMATS)
    def test_one_that_is_cancelled_ends_at_the_next_step(self, ask, web, all_is_large, file_format):
        response = ask("report_download", file_format)
        job = ExportJob.objects.get()

        def alive(pulse):
            web.post(reverse("export_cancel", args=[job.pk]))
            pulse.beat()
            return nullcontext()

        work(job.pk, alive=alive)
        assert "Cancelled" in state_of(web, job) and "Start again" in state_of(web, job)
        assert not folder_of(job).exists()
        assert response["Location"] == reverse("export", args=[job.pk])

    def test_a_workbook_that_is_ended_is_not_packed(self, ask, all_is_large, monkeypatch):
        monkeypatch.setattr(report_files, "TELL_EVERY", 1)
        packed = []
        monkeypatch.setattr("xlsxwriter.Workbook.close", lambda self: packed.append(self))
        step = Pulse.step

        def end(self, done, in_all):
            self.is_stopped = done > report_asked.COMPUTED
            step(self, done, in_all)

        monkeypatch.setattr(Pulse, "step", end)
        assert made(ask("report_download", "xlsx")).state == "cancelled"
        assert not packed

    def test_an_error_is_told_in_a_sentence_and_leaves_nothing(self, ask, web, all_is_large, monkeypatch):
        def broken(*args, **more):
            raise RuntimeError("the disk of P-1 is full")

        monkeypatch.setattr(report_asked, "prepare", broken)
        job = made(ask("report"))
        words = state_of(web, job)
        assert "The report failed. The server's log says why." in words and "P-1" not in words
        assert not folder_of(job).exists()

    def test_the_page_of_one_that_waits_tells_what_comes(self, ask, web, all_is_large):
        ask("report")
        words = state_of(web, ExportJob.objects.get())
        assert "It opens here when it is ready." in words
