"""The rows of the list of patients, written by hand: fifty on each page, with nine cells each."""

from collections.abc import Iterable
from html import escape

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString

from sessions_app.patient_list import Row
from stsclinic.templatetags.clinic import component, day

register = template.Library()


@register.simple_tag
def patient_rows(rows: Iterable[Row], with_names: bool, with_clinics: bool) -> SafeString:
    """The patients of sessions_app/patients_found.html, one below the other."""
    # To look an address up takes longer than the rest of a row.
    before, after = reverse("patient", args=[_ANY_KEY]).split(str(_ANY_KEY))
    written = (_row(row, f"{before}{row.pk}{after}", with_names, with_clinics) for row in rows)
    return SafeString("\n".join(written))  # noqa: S308 (every text is escaped in its row)


_ANY_KEY = 1234567890


def _row(row: Row, address: str, with_names: bool, with_clinics: bool) -> str:
    name = f"<td>{escape(row.name)}</td>" if with_names else ""
    clinic = f"<td>{escape(row.clinic)}</td>" if with_clinics else ""
    state = component("state", code=row.state, label=row.status_words)
    return (
        f'<tr><th scope="row" class="nowrap"><a href="{escape(address)}">'
        f"{escape(row.study_id)}</a></th>{name}<td>{escape(row.sex)}</td>"
        f'<td class="num" data-label="Age">{escape(row.age)}</td><td>{escape(row.diagnosis)}</td>{clinic}'
        f'<td>{state}</td><td data-label="Series">{escape(row.series)}</td>'
        f'<td class="nowrap" data-label="Last session">{escape(day(row.last_session_on))}</td></tr>'
    )
