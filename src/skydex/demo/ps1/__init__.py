"""Pan-STARRS1 DR2, simulated: a cone about M87 and three variable stars; at large sizes more of the sky."""

from skydex.demo.ps1.tables import simulate_ps1

__all__ = ["simulate_ps1"]
