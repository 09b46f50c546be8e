"""Which samples show the same scene; the public door to `headtohead.audit.duplicates`.

What it finds, on pictures of about 100 pixels and more: equal pixels, crops that keep a quarter,
rescaling down to a third, stretching, JPEG down to quality 30, contrast, gamma and equalising, noise,
frames, letters, mirroring, every rotation, inversion, other formats and depths, and most mixtures of
these (figures in docs/audit.md). What it leaves: JPEG of the lowest qualities, strong noise, warps
that are not affine, and small pictures that were recompressed hard, which cannot be told from thin
neighbouring slices (most of these come out as "possibly one patient"); pictures without texture,
which match by equal pixels alone; and, beyond 4,000 pictures, some crops to a quarter of the picture,
beyond 30,000 most crops (a note says so).
"""

from __future__ import annotations

from headtohead.audit.duplicates.find import find_groups
from headtohead.audit.duplicates.records import Chain, DuplicatePair, Grouping

__all__ = ["Chain", "DuplicatePair", "Grouping", "find_groups"]
