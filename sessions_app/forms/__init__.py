"""The forms of the clinic's day, one module for each."""
