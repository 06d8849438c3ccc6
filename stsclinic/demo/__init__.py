"""The demonstration clinic: the five published cases and a few invented patients."""
