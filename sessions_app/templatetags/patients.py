"""The rows of the list of patients, written by hand: fifty on each page, with nine cells each."""

from html import escape

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString

from sessions_app.patient_list import Row
from stsclinic.templatetags.clinic import component, day

register = template.Library()


@register.simple_tag
def patient_row(row: Row, with_names: bool, with_clinics: bool) -> SafeString:
    """One patient of sessions_app/patients_found.html."""
    name = f"<td>{escape(row.name)}</td>" if with_names else ""
    clinic = f"<td>{escape(row.clinic)}</td>" if with_clinics else ""
    state = component("state", code=row.state, label=row.status_words)
    return SafeString(  # noqa: S308 (every text is escaped here)
        f'<tr><th scope="row" class="nowrap"><a href="{escape(reverse("patient", args=[row.pk]))}">'
        f"{escape(row.study_id)}</a></th>{name}<td>{escape(row.sex)}</td>"
        f'<td class="num" data-label="Age">{escape(row.age)}</td><td>{escape(row.diagnosis)}</td>{clinic}'
        f'<td>{state}</td><td data-label="Series">{escape(row.series)}</td>'
        f'<td class="nowrap" data-label="Last session">{escape(day(row.last_session_on))}</td></tr>'
    )
