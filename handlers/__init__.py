"""Lessons: example functions, each showing one behaviour. Nobody imports them."""
