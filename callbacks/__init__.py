"""What a run says: the events, their log, and the handlers that turn callbacks into them."""
