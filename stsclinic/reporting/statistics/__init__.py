"""Intervals, tests and models of the report: numbers in, numbers out. scipy is imported where it is used."""
