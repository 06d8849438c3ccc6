"""The trail: every change of a clinical row, and every act worth knowing of. Append-only."""

from collections.abc import Collection

from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.db import models

from stsclinic.audit.acting import SOURCES
from stsclinic.fields import CodeField

ACTION = {"created": "Created", "changed": "Changed", "removed": "Removed"}

EVENT_KIND = {
    "signed_in": "Signed in",
    "signed_out": "Signed out",
    "sign_in_failed": "Sign-in failed",
    "password_changed": "Own password changed",
    "password_set": "Password of another user set",
    "patient_viewed": "Patient viewed",
    "photograph_viewed": "Photograph viewed",
    "exported": "Data exported",
    "imported": "Data imported",
    "report_downloaded": "Report downloaded",
    "allocation_opened": "Allocation opened",
    "score_asked": "Patient asked to score",
    "score_given": "Score given by the patient",
}


class Change(models.Model):
    """One row of one table, before and after. Written by the database's triggers only."""

    at = models.DateTimeField()
    actor = models.CharField(max_length=150)
    source = CodeField(SOURCES)
    reason = models.TextField(blank=True)
    table_name = models.CharField(max_length=63)
    row_id = models.BigIntegerField()
    action = CodeField(ACTION)
    old = models.JSONField(null=True)
    new = models.JSONField(null=True)

    class Meta:
        # By the row first: ids rise, so that what is new stands at the end of the index.
        indexes = [models.Index(fields=["row_id", "table_name"], name="change_of_row")]
        ordering = ["id"]

    def __str__(self):
        return f"{self.table_name} {self.row_id} {self.action}"


class Event(models.Model):
    """An act that changes no clinical row: a sign-in, a look at a patient, an export."""

    at = models.DateTimeField(auto_now_add=True)
    actor = models.CharField(max_length=150, blank=True)
    kind = CodeField(EVENT_KIND)
    patient_pk = models.BigIntegerField(null=True, db_index=True)
    detail = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self):
        return f"{self.kind} by {self.actor}"


class Audited(models.Model):
    """A model whose every change leaves history. Deleting is refused unless `may_be_removed`."""

    unwritten_fields: tuple[str, ...] = ()
    """Columns that history leaves out, such as a password's hash."""
    may_be_removed = False

    class Meta:
        abstract = True

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """Also refuse the NUL character in any text: PostgreSQL keeps none.

        Raises:
            ValidationError: by the names of the fields that are refused.
        """
        super().clean_fields(exclude=exclude)
        texts = {field.name: getattr(self, field.attname) for field in self._meta.fields}
        refused = [name for name, text in texts.items() if isinstance(text, str) and "\x00" in text]
        if refused:
            raise ValidationError(dict.fromkeys(refused, ProhibitNullCharactersValidator.message))


class KeptManager(models.Manager):
    """Rows that were not struck out: what sheets, reports and pages count."""

    def get_queryset(self):
        return super().get_queryset().filter(struck_out_at=None)


class ClinicalRecord(Audited):
    """A clinical row: never deleted; a mistake is struck out with a reason and stays readable."""

    version = models.PositiveIntegerField(default=1, editable=False)
    struck_out_at = models.DateTimeField(null=True, blank=True, editable=False)
    struck_out_by = models.CharField(max_length=150, blank=True, default="", editable=False)
    struck_out_reason = models.TextField(blank=True, default="", editable=False)

    objects = KeptManager()
    everything = models.Manager()  # noqa: DJ012 (a manager too; the first one is the default)

    class Meta:
        abstract = True
