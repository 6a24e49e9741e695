"""Tapes: demos that are tests. A tape presses keys on the real monitor of a real engine, on simulated time."""
