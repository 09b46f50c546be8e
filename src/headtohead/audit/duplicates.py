"""Which samples show the same scene; the public door to `headtohead.audit.groups`.

What it finds, on pictures of about 100 pixels and more: equal pixels, crops that keep about two
thirds, rescaling down to a quarter, stretching, JPEG down to quality 30, contrast and gamma,
frames, letters, mirroring, every rotation, inversion, and most mixtures of these. What it leaves:
small pictures that were recompressed hard, which cannot be told from thin neighbouring slices and
come out as "possibly one patient"; extreme crops; warps that are not affine; pictures without
texture, which match by equal pixels alone; and, beyond 4,000 pictures, copies whose coarse shape
changed much (a note says so).
"""

from __future__ import annotations

from headtohead.audit.groups.find import find_groups
from headtohead.audit.groups.records import Chain, DuplicatePair, Grouping

__all__ = ["Chain", "DuplicatePair", "Grouping", "find_groups"]
