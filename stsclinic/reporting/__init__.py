"""The report: records in, numbers and tables out. Imports stsclinic.clinical and nothing else of ours."""
