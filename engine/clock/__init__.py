"""Time as the engine sees it: real, scaled, or simulated."""

from .clock import Clock, Timer
from .simulated import START, SimulatedClock
from .simulation import Simulation
from .system import SystemClock, elapsed
from .turns import Turns

__all__ = ["START", "Clock", "SimulatedClock", "Simulation", "SystemClock", "Timer", "Turns", "elapsed"]
