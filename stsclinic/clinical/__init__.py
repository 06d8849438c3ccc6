"""What the clinic knows, in pure Python: no Django, no clock, no database."""
