"""Named devices."""

import pytest

from ehbilayer.errors import InputError
from ehbilayer.materials import MATERIALS, material


def test_dai_fu_device() -> None:
    # Dai and Fu, PRL 132, 196202 (2024)
    device = material("WSe2/MoSe2")
    assert (device.electron_mass, device.hole_mass, device.dielectric) == (0.8, 0.4, 4.7)
    assert device.scales.bohr_radius_nm == pytest.approx(0.622, abs=5e-4)


@pytest.mark.parametrize("name", MATERIALS)
def test_every_device_has_a_source(name: str) -> None:
    assert any(character.isdigit() for character in MATERIALS[name].source)  # a year
    assert MATERIALS[name].scales.known


@pytest.mark.parametrize(("name", "hint"), [("WSe2/MoSe", "WSe2/MoSe2"), ("wse2/mose2", "WSe2/MoSe2"),
                                            ("unobtainium", "mass-ratio-10")])
def test_unknown_device(name: str, hint: str) -> None:
    with pytest.raises(InputError, match=hint) as caught:
        material(name)
    assert caught.value.argument == "bilayer.material"
