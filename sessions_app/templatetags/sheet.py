"""The session sheet's repeated fields, written by hand: 22 lesions have some three hundred of them.

A template that is included for each of them takes several times as long as all else of the page.
"""

from functools import lru_cache
from html import escape

from django import template
from django.utils.safestring import SafeString

from sessions_app.sheet_arithmetic import Offer
from sessions_app.sheet_page import Cell, LesionRow

register = template.Library()


_fixed = lru_cache(maxsize=4096)(escape)
"""Escapes the names, labels, units and choices of fields: the same few on every sheet, and typed by nobody."""


@register.simple_tag
def sheet_notes(c: Cell) -> SafeString:
    """What is said below a field: its error, a conflict, last time's value, what the
    corrected session says, that the patient gave it."""
    notes = []
    if c.error:
        notes.append(f'<p class="field-error" id="{_fixed(c.id)}_error">{escape(c.error)}</p>')
    if c.conflict:
        by, theirs = escape(c.conflict.by), escape(c.conflict.theirs)
        notes.append(
            f'<p class="field-error" data-conflict data-name="{_fixed(c.name)}" data-theirs="{theirs}" '
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
def sheet_lesion(row: LesionRow, may_record: bool, offers_by_area: bool) -> SafeString:
    """One lesion of the session sheet. sheet-lesion.js knows its data-*.

    Args:
        may_record: whether a photograph may be taken.
        offers_by_area: whether the protocol gives a volume for each cm².
    """
    cells, key = row.cells, row.lesion.pk
    classes = f"{' is-gone' if row.is_gone else ''}{' is-confirmed' if row.is_confirmed else ''}"
    fields = (
        _measure(cells["longest_mm"], "longest", f"last-{key}"),
        _measure(cells["widest_mm"], "widest", f"last-{key} wider-{key}"),
        sheet_yes_no(cells["ulcer"], "U"),
        sheet_yes_no(cells["inflammation"], "I"),
        f'<div class="field field-compact stays sheet-ticks">{_confirmed(row)}{_gone(row)}</div>',
        f'<div class="stays" data-pga>{sheet_part(cells["pga"])}</div>' if "pga" in cells else "",
        _injection(row, offers_by_area) if "volume_ml" in cells else "",
        f'<p class="wider" id="wider-{key}" role="status" data-wider{"" if row.sum.wider else " hidden"}>'
        f"{escape(row.sum.wider)}</p>",
    )
    return _written(
        f'<fieldset class="sheet-lesion{classes}" data-lesion="{escape(row.lesion.lesion_id)}" '
        f'data-region="{escape(row.region)}"{_last_time(row)}>{_head(row, may_record)}'
        f'<div class="sheet-cells">{"".join(fields)}</div></fieldset>'
    )


def _last_time(row: LesionRow) -> str:
    """What `as last time` takes over, for the script."""
    if not row.may_confirm:
        return " data-was-gone" if row.was_gone else ""
    parts = (("longest", "longest_mm"), ("widest", "widest_mm"), ("ulcer",) * 2, ("inflammation",) * 2)
    values = (f' data-last-{part}="{escape(row.cells[name].last_value)}"' for part, name in parts)
    return f" data-may-confirm{''.join(values)}"


def _head(row: LesionRow, may_record: bool) -> str:
    lesion, key = escape(row.lesion.lesion_id), row.lesion.pk
    photograph = (
        '<button class="quiet-button sheet-photograph no-print" type="submit" name="action" '
        f'value="photograph-{key}">Photograph<span class="visually-hidden"> {lesion}</span></button>'
    )
    return (
        f'<legend class="sheet-lesion-head"><strong>{lesion}</strong> <span>{escape(row.lesion.site_words)}</span> '
        f'<span class="sheet-last" id="last-{key}">{escape(row.last_words)}</span> '
        '<button class="quiet-button no-print" type="button" data-aside hidden></button>'
        f"{photograph if may_record else ''}</legend>"
    )


def _measure(c: Cell, part: str, read_with: str) -> str:
    """A measure in mm: last time's value stands greyed in it; `read_with` are the ids of what is read with it."""
    error = f' {_fixed(c.id)}_error" aria-invalid="true' if c.error else ""
    told = f' placeholder="{escape(c.last_value)}" data-cell="{part}" aria-describedby="{read_with}{error}"'
    return (
        f'<div class="field field-compact{_fault(c)}"><label for="{_fixed(c.id)}">{_fixed(c.label)} '
        f'<span class="unit">mm</span></label>{_number(c, 4, told)}{sheet_notes(c)}</div>'
    )


def _number(c: Cell, width: int, told: str) -> str:
    return (
        f'<input class="form-control num w-num-{width}" inputmode="decimal" enterkeyhint="next" '
        f'name="{_fixed(c.name)}" id="{_fixed(c.id)}" value="{escape(c.value)}"{told}>'
    )


def _in_cell(part: str, c: Cell) -> str:
    return f' data-cell="{part}"{_told(c)}'


def _confirmed(row: LesionRow) -> str:
    c = row.cells["confirmed"]
    if not (row.may_confirm or c.value):
        return ""
    is_measured = row.cells["longest_mm"].value or row.cells["widest_mm"].value
    return (
        f'<label class="choice sheet-confirm"><input type="checkbox" name="{_fixed(c.name)}" id="{_fixed(c.id)}" '
        f'value="{escape(row.confirms)}" data-confirmed{" checked" if row.is_confirmed else ""}{_told(c)}>'
        f" <span data-confirm-words>{'Rest as last time' if is_measured else 'As last time'}</span>"
        f' <kbd aria-hidden="true">↵</kbd></label>{sheet_notes(c)}'
    )


def _gone(row: LesionRow) -> str:
    c = row.cells["gone"]
    words = 'Gone, as last time <kbd aria-hidden="true">↵</kbd>' if row.was_gone else "Gone"
    return (
        f'<label class="choice"><input type="checkbox" name="{_fixed(c.name)}" id="{_fixed(c.id)}" data-gone'
        f'{" checked" if c.value else ""}> {words} <kbd aria-hidden="true">G</kbd></label>{sheet_notes(c)}'
    )


def _injection(row: LesionRow, offers_by_area: bool) -> str:
    """Its volume with what one key takes over, its pain, and what it gets other than all lesions."""
    volume, pain = row.cells["volume_ml"], row.cells["pain_vas"]
    offers = _offer("l", row.sum.last_time) if row.sum.last_time else ""
    offers += _offer("p", row.sum.by_area) if offers_by_area else ""
    own_words = f": <b>{escape(row.own_words)}</b>" if row.own_words else ""
    return (
        f'<div class="field field-compact sheet-volume{_fault(volume)}"><label for="{_fixed(volume.id)}">Injected</label>'
        f' <span class="dose"><span data-solution></span> <span data-dose>{escape(row.sum.dose)}</span></span>'
        f'<div class="sheet-amount"><div class="with-unit">{_number(volume, 4, _in_cell("volume", volume))}'
        f'<span class="unit">ml</span></div><div class="offers no-print">{offers}</div></div>{sheet_notes(volume)}</div>'
        f'<div class="field field-compact{_fault(pain)}"><label for="{_fixed(pain.id)}">Pain 0-10</label>'
        f"{_number(pain, 3, _in_cell('pain', pain))}{sheet_notes(pain)}</div>"
        f'<details class="sheet-own stays"{" open" if row.opens_own else ""}>'
        f"<summary><span>Other than for all lesions{own_words}</span></summary>"
        f'<div class="form-grid">{"".join(map(sheet_part, row.own))}</div></details>'
    )


def _offer(key: str, offer: Offer | None) -> str:
    """A volume that one key takes over; the script fills the one by area that is not there yet."""
    volume, words = (escape(offer.volume), escape(offer.words)) if offer else ("", "")
    words = f"<span data-offer-words>{words}</span>" if key == "p" else words
    return (
        f'<button class="offer" type="button" data-offer="{key}" tabindex="-1" disabled{"" if offer else " hidden"}>'
        f"<kbd>{key.upper()}</kbd> <b><span data-offer-ml>{volume}</span> ml</b> {words}</button>"
    )


@register.simple_tag
def sheet_part(c: Cell) -> SafeString:
    """A field of the injection: a choice, a number with its unit, or a text."""
    named = f'name="{_fixed(c.name)}" id="{_fixed(c.id)}"'
    told = _told(c)
    value = escape(c.value)
    if c.options:
        control = (
            f'<select class="form-select" {named} data-part="{_fixed(c.name)}"{told}>'
            f"{_options(tuple(c.options), c.value)}</select>"
        )
    elif c.unit:
        control = (
            f'<div class="with-unit"><input class="form-control num w-num-6" inputmode="decimal" {named} '
            f'value="{value}" data-part="{_fixed(c.name)}"{told}><span class="unit">{_fixed(c.unit)}</span></div>'
        )
    else:
        control = (
            f'<input class="form-control" type="text" maxlength="60" {named} value="{value}" '
            f'data-part="{_fixed(c.name)}"{told}>'
        )
    return _written(
        f'<div class="field field-compact{_fault(c)}"><label for="{_fixed(c.id)}">{_fixed(c.label)}</label>'
        f"{control}{sheet_notes(c)}</div>"
    )


@register.simple_tag
def sheet_yes_no(c: Cell, key: str = "") -> SafeString:
    """Yes, no or nothing, with the key that goes through them."""
    hint = f' <kbd aria-hidden="true">{_fixed(key)}</kbd>' if key else ""
    last, spot = ' class="was-last"', f' data-yes-no="{_fixed(key)}"'
    choices = "".join(
        f"<label{last if code and code == c.last_value else ''}>"
        f'<input type="radio" name="{_fixed(c.name)}" id="{_fixed(c.id)}_{number}" value="{_fixed(code)}"'
        f"{' checked' if code == c.value else ''}> <span>{_fixed(words)}</span></label>"
        for number, (code, words) in enumerate(c.options)
    )
    return _written(
        f'<fieldset class="field field-compact{_fault(c)}" id="{_fixed(c.id)}"'
        f"{spot if key else ''}><legend>{_fixed(c.label)}{hint}</legend>"
        f'<div class="choices segmented">{choices}</div>{sheet_notes(c)}</fieldset>'
    )


def _written(markup: str) -> SafeString:
    """Markup whose every value was escaped."""
    return SafeString(markup)  # noqa: S308 (this module escapes what it puts in)


def _told(c: Cell) -> str:
    """Where the error of a field is read."""
    return f' aria-invalid="true" aria-describedby="{_fixed(c.id)}_error"' if c.error else ""


def _fault(c: Cell) -> str:
    return " has-error" if c.error else ""


@lru_cache(maxsize=512)
def _options(options: tuple[tuple[str, str], ...], value: str) -> str:
    """A list's options; the same few lists stand at each lesion."""
    return "".join(
        f'<option value="{_fixed(code)}"{" selected" if code == value else ""}>{_fixed(words)}</option>'
        for code, words in options
    )
