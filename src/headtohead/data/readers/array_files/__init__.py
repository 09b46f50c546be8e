"""Files of named arrays: NumPy `.npy`, HDF5, MATLAB."""
