"""Texts of the demonstration set: source, planted confound and `DATA.md`."""

from __future__ import annotations

__all__ = ["CONFOUND", "SOURCE", "data_sheet"]

SOURCE = (
    "Synthetic: drawn by headtohead from the tissue maps of the MNI ICBM152 2009a template, "
    "as shipped in the Python package nilearn. No patient is shown."
)

CONFOUND = {
    "what": "file facts depend on the label",
    "size": "images with a lesion are larger more often (two overlapping ranges, 70 against 30 %)",
    "quality": "images with a lesion are saved at lower JPEG quality (72 to 87 against 82 to 95)",
    "suffix": "the suffix .JPG is more frequent among images with a lesion",
}

_SHEET = """# Synthetic demonstration images

{n} drawn images of brains, made by `headtohead` with seed {seed}. **They are synthetic**: no
patient is shown, and nothing measured on them says anything about medicine. They exist so that every
stage of a comparison can be tried, and checked against a known truth, without a download.

- `lesion/`, `no_lesion/`: the two classes. Beside lesions of graded difficulty there are harmless
  findings in both classes: white-matter spots, pockets of fluid, vessels, shaded regions.
- `truth.json`: which files show the same scene, what was planted (copies, wrong labels, odd files, file
  facts that depend on the label), and for each image the lesion's difficulty and box
  `[top, left, bottom, right]`.

## Where they come from

Grey-matter, white-matter and brain maps of the MNI ICBM152 2009a nonlinear template, as shipped in the
package `nilearn`, cut at random positions, warped smoothly, and painted with the brightness of four
kinds of magnetic resonance images. Skull and scalp are drawn around the brain; the template has none.

The template's notice: copyright (C) 1993-2009 Louis Collins, McConnell Brain Imaging Centre, Montreal
Neurological Institute, McGill University; use, copying, change and distribution are permitted for any
purpose without fee, provided that the notice is kept. Supplied as is, without warranty.
Please cite V. Fonov et al., Unbiased average age-appropriate atlases for pediatric studies, NeuroImage
54 (2011) 313-327, and V. Fonov et al., NeuroImage 47 (2009) S102.
"""


def data_sheet(n: int, seed: int) -> str:
    """Return the text of `DATA.md`.

    Args:
        n: number of images.
        seed: with which they were drawn.
    """
    return _SHEET.format(n=n, seed=seed)
