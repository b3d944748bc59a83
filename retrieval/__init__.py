"""Documents in, passages out: loaders, passages, indexes and calibrated confidence."""
