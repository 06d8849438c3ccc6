"""The components of the pages: what they show, and that no template needs more than the strict policy allows."""

import re
from pathlib import Path
from types import SimpleNamespace as Thing

import pytest
from django.conf import settings
from django.template.loader import get_template, render_to_string

from lesions.bodymap import MarkedLesion, outline
from stsclinic.charts import Line, line_chart

TEMPLATES = sorted(Path(settings.BASE_DIR, "templates").rglob("*.html"))
NOT_RECORDED = '<span class="not-recorded">Not recorded</span>'


def shown(component, **context):
    return re.sub(r"\s+", " ", render_to_string(f"components/{component}.html", context))


def words(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()


def banner(**facts):
    known = {
        "study_id": "AAR-001",
        "url": "/patients/1/",
        "sex": "Female",
        "age": 61,
        "diagnosis": "Dermatomyositis",
        "raynaud": "No",
        "hypersensitivity": "No",
        "pregnancy": "No",
        "breast_feeding": "No",
        "consent": "12-Mar-2026",
        "withdrawn": "",
    }
    return Thing(**known | facts)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_have_nothing_inline(path):
    text = path.read_text()
    assert not re.search(r"\sstyle\s*=", text)
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text)
    assert not re.search(r"<style[\s>]", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert "javascript:" not in text


@pytest.mark.parametrize("name", ["400.html", "500.html"])
def test_the_last_pages_need_no_context_and_no_manifest(name, settings):
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    }
    page = get_template(name).render()
    for address in re.findall(r'(?:src|href)="/static/([^"]+)"', page):
        assert Path(settings.BASE_DIR, "static", address).is_file()


@pytest.mark.parametrize("fact", ["raynaud", "hypersensitivity", "pregnancy", "breast_feeding", "consent"])
def test_the_banner_shows_what_is_not_recorded(fact):
    assert NOT_RECORDED not in shown("patient_banner", banner=banner())
    assert shown("patient_banner", banner=banner(**{fact: ""})).count(NOT_RECORDED) == 1


def test_the_banner_names_a_patient_only_where_the_identity_is_given():
    identity = Thing(name="HANSEN, Birthe", born="03-Apr-1965")
    assert "HANSEN, Birthe" in shown("patient_banner", banner=banner(), identity=identity)
    assert words(shown("patient_banner", banner=banner())).startswith(
        "AAR-001 Female 61 years Dermatomyositis"
    )


def test_the_banner_marks_what_forbids_an_injection():
    assert "fact-stop" not in shown("patient_banner", banner=banner())
    assert (
        shown("patient_banner", banner=banner(hypersensitivity="Yes", pregnancy="Yes")).count("fact-stop")
        == 2
    )
    assert "Withdrawn 02-Nov-2026" in words(shown("patient_banner", banner=banner(withdrawn="02-Nov-2026")))


def test_a_field_ties_its_hint_and_error_to_the_input():
    html = shown(
        "field",
        name="volume",
        label="Volume",
        unit="ml",
        kind="number",
        hint="To 3 decimals.",
        error="Too much.",
        value="0,55",
    )
    described = re.search(r'aria-describedby="([^"]+)"', html).group(1).split()
    assert described == ["id_volume_error", "id_volume_hint"]
    assert all(f'id="{one}"' in html for one in described)
    assert 'value="0,55"' in html
    assert 'aria-invalid="true"' in html
    assert 'inputmode="decimal"' in html


def test_a_field_keeps_hostile_text_as_text():
    html = shown(
        "field", name="note", label="Note", kind="textarea", value="</textarea><script>alert(1)</script>"
    )
    assert "<script>" not in html


def test_a_password_is_never_written_back():
    assert "secret" not in shown("field", name="password", label="Password", kind="password", value="secret")


def test_errors_link_to_their_fields():
    html = shown("error_summary", errors=[Thing(url="#id_ptga", text="PtGA: 1 to 10.")])
    assert '<a href="#id_ptga">PtGA: 1 to 10.</a>' in html
    assert shown("error_summary", errors=[]).strip() == ""


def test_a_table_stands_its_numbers_right_and_names_its_units():
    table = Thing(
        title="Change",
        columns=[
            Thing(label="To", unit="", kind="code"),
            Thing(label="Size", unit="cm²", kind="number"),
            Thing(label="On", unit="", kind="date"),
            Thing(label="p", unit="", kind="p"),
        ],
        rows=[["Second", "0.09", "20-Nov-2026", "< 0.001"]],
        footnotes=["Positive is better."],
    )
    html = shown("data_table", table=table)
    assert re.findall(r"<(td|th scope=\"row\")( class=\"num\")?(?: data-label=\"[^\"]*\")?>", html) == [
        ('th scope="row"', ""),
        ("td", ' class="num"'),
        ("td", ""),
        ("td", ' class="num"'),
    ]
    # On a telephone the headings are not seen, so each cell says its own.
    assert re.findall(r'data-label="([^"]*)"', html) == ["Size (cm²)", "On", "p"]
    assert "Size cm²" in words(html)
    assert "&lt; 0.001" in html
    # A text that heads its row is known for what it is; a number is not.
    table.columns[0].kind = "whole"
    assert '<th scope="row" class="num" data-label="To">Second</th>' in shown("data_table", table=table)
    assert "Positive is better." in html


@pytest.mark.parametrize(
    ("level", "said"),
    [("stop", "Stop:"), ("ask", "To be asked:"), ("acknowledge", "Acknowledge:"), ("inform", "Note:")],
)
def test_an_alert_says_its_level_in_words(level, said):
    html = shown("alert_panel", level=level, title="A title", reason="A reason.", source="Report 003")
    assert words(html) == f"{said} A title A reason. Source: Report 003"
    assert "<path" in html


def test_a_chart_has_its_words_and_its_table():
    html = shown(
        "line_chart",
        chart=line_chart(
            [Line("PtGA", [(1, 7), (2, 4)])], title="Scores", x_label="Session", y_label="Score", chart_id="a"
        ),
    )
    assert 'aria-labelledby="a-title a-desc"' in html
    assert 'id="a-table"' in html
    assert "PtGA, 2: 4" in html


def test_left_and_right_stay_apart_on_the_body():
    lesions = [
        MarkedLesion("L01", "index_finger", "left", "/l/1/", "12 × 8 mm"),
        MarkedLesion("L02", "index_finger", "right", "/l/2/", "3 × 2 mm"),
    ]
    html = shown("body_outline", outline=outline(lesions))
    place = {
        label: float(x)
        for label, x in re.findall(
            r'aria-label="(L\d\d):[^>]+> ?<title>[^<]+</title> ?<g transform="translate\(([\d.]+) ', html
        )
    }
    hands = html[html.index("Hands, palms") :]
    right = re.search(r'<text class="body-side" x="(\d+)" y="[\d.]+">Right</text>', hands)
    assert place["L02"] < 180 < place["L01"]
    assert float(right.group(1)) < 180
    assert "Left index finger, 12 × 8 mm" in html
    assert "Right index finger, 3 × 2 mm" in html
