"""The session sheet's repeated fields, written by hand: 22 lesions have some three hundred of them.

A template that is included for each of them takes several times as long as all else of the page.
"""

from functools import lru_cache
from html import escape

from django import template
from django.utils.safestring import SafeString

from sessions_app.sheet_page import Cell

register = template.Library()


@register.simple_tag
def sheet_notes(c: Cell) -> SafeString:
    """What is said below a field: its error, a conflict, last time's value, what the
    corrected session says, that the patient gave it."""
    notes = []
    if c.error:
        notes.append(f'<p class="field-error" id="{escape(c.id)}_error">{escape(c.error)}</p>')
    if c.conflict:
        by, theirs = escape(c.conflict.by), escape(c.conflict.theirs)
        notes.append(
            f'<p class="field-error" data-conflict data-name="{escape(c.name)}" data-theirs="{theirs}" '
            f'data-by="{by}" data-version="{c.conflict.version}">{by} typed “{theirs}”</p>'
        )
    if c.last:
        notes.append(f'<span class="last-value">{escape(c.last)}</span>')
    if c.in_session:
        notes.append(f'<span class="last-value in-session">{escape(c.in_session)}</span>')
    if c.by_patient:
        notes.append(f'<span class="last-value by-patient">{escape(c.by_patient)}</span>')
    return _written("".join(notes))


@register.simple_tag
def sheet_part(c: Cell) -> SafeString:
    """A field of the injection: a choice, a number with its unit, or a text."""
    named = f'name="{escape(c.name)}" id="{escape(c.id)}"'
    told = f' aria-invalid="true" aria-describedby="{escape(c.id)}_error"' if c.error else ""
    value = escape(c.value)
    if c.options:
        control = (
            f'<select class="form-select" {named} data-part="{escape(c.name)}"{told}>'
            f"{_options(tuple(c.options), c.value)}</select>"
        )
    elif c.unit:
        control = (
            f'<div class="with-unit"><input class="form-control num w-num-6" inputmode="decimal" {named} '
            f'value="{value}" data-part="{escape(c.name)}"{told}><span class="unit">{escape(c.unit)}</span></div>'
        )
    else:
        control = (
            f'<input class="form-control" type="text" maxlength="60" {named} value="{value}" '
            f'data-part="{escape(c.name)}"{told}>'
        )
    return _written(
        f'<div class="field field-compact{_fault(c)}"><label for="{escape(c.id)}">{escape(c.label)}</label>'
        f"{control}{sheet_notes(c)}</div>"
    )


@register.simple_tag
def sheet_yes_no(c: Cell, key: str = "") -> SafeString:
    """Yes, no or nothing, with the key that goes through them."""
    hint = f' <kbd aria-hidden="true">{escape(key)}</kbd>' if key else ""
    last, spot = ' class="was-last"', f' data-yes-no="{escape(key)}"'
    choices = "".join(
        f"<label{last if code and code == c.last_value else ''}>"
        f'<input type="radio" name="{escape(c.name)}" id="{escape(c.id)}_{number}" value="{escape(code)}"'
        f"{' checked' if code == c.value else ''}> <span>{escape(words)}</span></label>"
        for number, (code, words) in enumerate(c.options)
    )
    return _written(
        f'<fieldset class="field field-compact{_fault(c)}" id="{escape(c.id)}"'
        f"{spot if key else ''}><legend>{escape(c.label)}{hint}</legend>"
        f'<div class="choices segmented">{choices}</div>{sheet_notes(c)}</fieldset>'
    )


def _written(markup: str) -> SafeString:
    """Markup whose every value was escaped."""
    return SafeString(markup)  # noqa: S308 (this module escapes what it puts in)


def _fault(c: Cell) -> str:
    return " has-error" if c.error else ""


@lru_cache(maxsize=512)
def _options(options: tuple[tuple[str, str], ...], value: str) -> str:
    """A list's options; the same few lists stand at each lesion."""
    return "".join(
        f'<option value="{escape(code)}"{" selected" if code == value else ""}>{escape(words)}</option>'
        for code, words in options
    )
