"""How fast the application is, as ratios to what the same machine takes for the least that could be done.

`make bench` calls it: rows.py says what is measured on each database and the budget of each row; large.py says it
of the report over a large registry and of its data out and in.
"""
