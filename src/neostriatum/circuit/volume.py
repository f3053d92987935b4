"""The volume: its shape, whether it is a torus, and how densely the simulated cells lie."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from neostriatum.circuit.value import Frozen, Length, measure

#: Keys that belong to one shape alone.
OWNERS = {"thickness": "slab", "axes": "ellipsoid", "file": "mesh", "unit": "mesh"}
#: What an ellipsoid is unless it says otherwise; no source, hence "assumed".
PROPORTIONS = [
    {"value": value, "how": "assumed", "note": f"rough proportions of a mouse striatum: {axis}"}
    for value, axis in ((1.6, "anterior-posterior"), (1.3, "dorsal-ventral"),
                        (1.0, "medial-lateral"))
]

Proportion = measure("1", ge=0.01, le=100)


class Volume(Frozen):
    """The tissue: its shape, whether it is a torus, and how densely the simulated cells lie."""

    shape: Literal["cube", "slab", "sphere", "ellipsoid", "mesh"] = "cube"
    boundary: Literal["open", "periodic"] = Field(
        default="periodic", description="default: periodic for a cube, open for other shapes")
    density: measure("1/mm^3", gt=0, ge=1, le=1e7)
    minimum_distance: measure("um", ge=0, le=1e4) = Field(default="0 um", validate_default=True)
    thickness: Length | None = None
    axes: tuple[Proportion, Proportion, Proportion] | None = None
    file: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    unit: Literal["nm", "um", "mm", "cm", "m"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_shape(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        shape = raw.get("shape", "cube")
        defaults: dict[str, Any] = {"boundary": "periodic" if shape == "cube" else "open"}
        if shape == "ellipsoid":
            defaults["axes"] = PROPORTIONS
        if shape == "mesh":
            defaults["unit"] = "um"
        return raw | {key: said for key, said in defaults.items() if raw.get(key) is None}

    @model_validator(mode="after")
    def _of_one_shape(self) -> Volume:
        for key, owner in OWNERS.items():
            given = getattr(self, key) is not None
            if given and self.shape != owner:
                msg = f'{key} belongs to shape "{owner}" (got shape "{self.shape}")'
                raise ValueError(msg)
            if not given and self.shape == owner:
                msg = f'shape "{owner}" needs {key}'
                raise ValueError(msg)
        if self.boundary == "periodic" and self.shape != "cube":
            msg = f'boundary must be open for shape "{self.shape}" (got periodic)'
            raise ValueError(msg)
        return self

    @property
    def periodic(self) -> bool:
        """Whether opposite faces meet."""
        return self.boundary == "periodic"

    @property
    def proportions(self) -> tuple[float, float, float]:
        """Extents along x, y and z relative to each other."""
        x, y, z = (axis.value for axis in self.axes) if self.axes else (1.0, 1.0, 1.0)
        return x, y, z


def reshaped(volume: dict[str, Any], shape: Any) -> dict[str, Any]:
    """Return a volume's plain data without what it cannot keep when it takes another shape.

    That is the keys that belong to its former shape alone, and the boundary of a torus.
    """
    kept = {key: said for key, said in volume.items() if OWNERS.get(key, shape) == shape}
    if shape != "cube" and kept.get("boundary") == "periodic":
        del kept["boundary"]
    return kept
