"""Where files lie: folders, archives, npz, Kaggle; read under limits."""
