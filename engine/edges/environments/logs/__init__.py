"""What is logged of an environment.

`log` puts it in order, invocation by invocation; `lines` are the platform's, as text and as JSON; `tap` reads what the
process prints, and `output` turns that into log events, of a flood the first and the last ones.
"""
