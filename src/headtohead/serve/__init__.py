"""An HTTP server for bundles: predictions, heat maps, the Open Inference Protocol, and a page for the browser.

Uploads are held in memory, read once and forgotten: no image touches the disk, none is logged.
Needs the extra `serve` (`pip install 'headtohead[serve]'`).
"""
