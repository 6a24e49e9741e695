"""Processes, whatever runs in them: nothing here knows of functions or invocations.

`starting` is what an order to start one holds; `starters` chooses how: `forking` from a zygote, or `spawning` a
program. `orphans` finds what they leave behind, `survivors` what an engine that was killed has left. They live within
limits: `capacity` says how many there may be, `memory` looks at what they use, `scratch` has their temporary folders.
"""
