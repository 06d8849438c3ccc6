"""What decides that a test runs again on PostgreSQL, and that nothing is skipped in CI."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parents[2]
SKIPS = """
import pytest

def test_runs():
    pass

def test_skips_itself():
    pytest.skip("no reason")

@pytest.mark.skip(reason="no reason")
def test_is_marked():
    pass

@pytest.mark.xfail(reason="known", strict=True)
def test_is_expected_to_fail():
    assert False
"""


@pytest.mark.django_db
def test_a_marked_test_is_a_database_test(request: pytest.FixtureRequest):
    assert request.node.get_closest_marker("database")


def test_a_test_with_the_fixture_is_a_database_test(db, request: pytest.FixtureRequest):
    assert request.node.get_closest_marker("database")


def test_a_pure_test_is_none(request: pytest.FixtureRequest):
    assert not request.node.get_closest_marker("database")


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    """Run pytest on a file of its own with the rules of this project's conftest, CI set or not."""

    def run(source: str, ci: str) -> pytest.RunResult:
        monkeypatch.setenv("CI", ci)
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "tests.settings")
        pytester.makeconftest(
            "from tests.conftest import pytest_make_collect_report, pytest_runtest_makereport\n"
        )
        pytester.makepyfile(source)
        return pytester.runpytest_subprocess("-p", "no:xdist", "-p", "no:cacheprovider")

    return run


def test_a_skip_fails_in_ci(run):
    run(SKIPS, ci="true").assert_outcomes(passed=1, failed=1, errors=1, xfailed=1)


def test_a_skip_is_a_skip_elsewhere(run):
    run(SKIPS, ci="").assert_outcomes(passed=1, skipped=2, xfailed=1)


def test_a_file_that_skips_itself_fails_in_ci(run):
    source = "import pytest\npytest.skip('no reason', allow_module_level=True)\n"
    run(source, ci="true").assert_outcomes(errors=1)
    run(source, ci="").assert_outcomes(skipped=1)
