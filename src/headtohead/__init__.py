"""headtohead: a pretrained CNN or a Vision Transformer on my own medical images, and is the difference real?

Research use only; not a medical device.
"""

from headtohead._version import __version__

__all__ = ["__version__"]
