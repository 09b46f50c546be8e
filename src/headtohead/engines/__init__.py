"""Where the features and the cells of a study are computed: in this process, in one shard of several, or on Ray."""
