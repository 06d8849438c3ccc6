"""Static files under names that change with their content, so that a browser may keep them for ever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage

_OURS = "js/*.js"


class StaticFiles(CompressedManifestStaticFilesStorage):
    """A script that imports another names it by its changing name too: an old one is never mixed with a new.

    Django can do this for all scripts at once, but a vendored one names imports in an example of a comment.
    """

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        (_OURS, CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns[1]),
    )
