"""Data sheets: the format in which a whole registry goes in and out.

`columns` is the one definition of every sheet and column; reading, checking, importing, exporting,
the empty template and the codebook iterate over it. Adding a column is one entry there.
"""
