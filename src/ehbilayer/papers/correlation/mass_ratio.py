"""m_h/m_e = 10, polarised, d = 1 a_h: does an electron liquid on a hole crystal survive correlation?"""

from __future__ import annotations

from ehbilayer.papers.correlation.points import figure

BILAYER = {"electron_mass": 0.1, "hole_mass": 1.0, "spacing": 1}
ERRORS = {10.0: 5e-4, 20.0: 3e-4, 30.0: 2e-4}  # r_s -> target in Ha_h

FIGURE = figure("mass-ratio", "liquid, hole crystal and pairs at mass ratio 10", "mass ratio 10", "ten times as heavy",
                BILAYER, "hole-crystal", ERRORS)
