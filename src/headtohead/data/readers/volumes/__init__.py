"""Volumes beside NIfTI: NRRD, MetaImage, FreeSurfer's MGH and Analyze 7.5."""
