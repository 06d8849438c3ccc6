"""The pages of the clinic's day, one module for each."""
