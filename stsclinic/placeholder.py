"""Stands in for a page that is being written in this very session; gone before it ends."""

from django.http import HttpResponse

from stsclinic.access import require


@require("be_signed_in")
def coming(request, **kwargs):
    return HttpResponse("coming")
