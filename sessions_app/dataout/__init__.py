"""Data out: the data sheets as files for a spreadsheet or a statistics program.

`plan` says what leaves, `source` reads it from the database in blocks of patients, one module writes each
kind of file, and `bundle` makes the folder with its codebook and its manifest.
"""
