"""What tests of data sheets and of what is written by them share."""

import pytest

from sessions_app.datasheets import blocks


@pytest.fixture(params=[False, True], ids=["whole", "by_patient"])
def blocks_of_a_patient(request, monkeypatch):
    """Once as few patients are checked, all together, and once each by itself, as if there were many."""
    if request.param:
        monkeypatch.setattr(blocks, "MOST_PATIENTS", 1)
