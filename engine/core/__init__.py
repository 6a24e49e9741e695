"""Decisions only: what happens next. Nothing here sleeps, reads a clock, opens a socket or rolls dice."""
