"""Which samples show the same scene; the public door to `headtohead.audit.duplicates`.

What it finds, on images of about 100 pixels and more: equal pixels, crops that keep a quarter,
rescaling down to a third, stretching, JPEG down to quality 30, contrast, gamma and equalising, noise,
frames, letters, mirroring, every rotation, inversion, other formats and depths, and most mixtures of
these (figures in docs/audit.md). What it leaves: JPEG of the lowest qualities, strong noise, warps
that are not affine, and small images that were recompressed hard, which cannot be distinguished from thin
neighbouring slices (most of these come out as "possibly one patient"); images without texture,
which match by equal pixels alone; and, beyond 4,000 images, some crops to a quarter of the image,
beyond 30,000 most crops (a note says so).
"""

from __future__ import annotations

from headtohead.audit.duplicates.records import DuplicatePair, Grouping, RejectedLinkRecord

__all__ = ["DuplicatePair", "Grouping", "RejectedLinkRecord"]
